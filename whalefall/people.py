"""Who administers, who holds which role, and that somebody always administers."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db.models import QuerySet

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


def one_at_a_time() -> None:
    """Two administrators who take each other's role wait for one another, in transactions."""
    list(Group.objects.select_for_update().filter(name=ADMINISTRATOR))
