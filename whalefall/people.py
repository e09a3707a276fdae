"""Who administers, who holds which role, and that somebody always administers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.db.models.signals import pre_delete

from whalefall.auth import ADMINISTRATOR, ROLES
from whalefall.models import User


def administrators() -> QuerySet[User]:
    """Everybody who may administrate now."""
    active = User.objects.filter(is_active=True)
    return (active.filter(is_superuser=True) | active.filter(groups__name=ADMINISTRATOR)).distinct()


def somebody_stays(leaving: Iterable[User]) -> bool:
    """Whether there is an administrator besides these."""
    return administrators().exclude(pk__in=[person.pk for person in leaving]).exists()


def held_role(user: User) -> str | None:
    """The highest role, also of who is disabled; from prefetched groups where there are some."""
    if user.is_superuser:
        return ADMINISTRATOR
    names = {group.name for group in user.groups.all()}
    return next((role for role in reversed(ROLES) if role in names), None)


def give_role(user: User, role: str | None) -> None:
    """This one and no other; None takes it away."""
    user.groups.remove(*Group.objects.filter(name__in=ROLES).exclude(name=role or ""))
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])


def held(user: User | None) -> User | None:
    """The person, who stays until the transaction has ended; None when they were just deleted. For
    rows that name a person without a foreign key of the store's.
    """
    if user is None:
        return None
    return User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()


def _hold_leaver(sender: Any, instance: User, **kwargs: Any) -> None:
    """Whatever they are just doing is done before rows that name them are looked for."""
    User.objects.select_for_update().filter(pk=instance.pk).first()


def listen() -> None:
    pre_delete.connect(_hold_leaver, User, dispatch_uid="people")


def one_at_a_time() -> None:
    """Two administrators who take each other's role wait for one another, in transactions."""
    list(Group.objects.select_for_update().filter(name=ADMINISTRATOR))
