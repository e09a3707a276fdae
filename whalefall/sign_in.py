"""People whom somebody else vouches for: an OpenID Connect provider or an LDAP directory.

Both end in `admit`: who it is here, and which role the groups give. It is the provider that knows
the groups, so its word counts anew at each sign-in: a group that is gone takes its role away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from whalefall import audit, people
from whalefall.api import ApiError
from whalefall.auth import ADMINISTRATOR, ROLES
from whalefall.models import ExternalIdentity, User

logger = structlog.get_logger(__name__)

EVERYBODY = "*"
FIELDS = {"first_name": 150, "last_name": 150, "email": 254}
"""What the provider says about a person that we keep, and how much of it has a place."""


def refused(message: str) -> ApiError:
    """Whoever came is who they say, and may not enter all the same: a 403."""
    return ApiError("SIGN_IN_REFUSED", message, 403)


def unavailable() -> ApiError:
    """The provider gave no answer that could be used: a 503. The reason stands in the log."""
    message = _("The sign-in service cannot be reached. Try again, or ask an administrator.")
    return ApiError("SIGN_IN_UNAVAILABLE", message, 503)


def role_from(groups: Iterable[str], roles: Mapping[str, Sequence[str]]) -> str | None:
    """The highest role that one of the groups gives; names of groups without regard to case.

    `roles` is `{"administrator": ["group", ...], ...}`; the group `*` is everybody.
    """
    held = {group.casefold() for group in groups} | {EVERYBODY}
    gives = {role: {group.casefold() for group in names} for role, names in roles.items()}
    return next((role for role in reversed(ROLES) if held & gives.get(role, set())), None)


@transaction.atomic
def admit(
    source: str,
    subject: str,
    name: str,
    groups: Iterable[str],
    roles: Mapping[str, Sequence[str]],
    **fields: str,
) -> User:
    """The person with this identity, made or brought up to date. Raises ApiError (403).

    Without `roles` nobody's role is touched: administrators give them by hand.
    """
    people.one_at_a_time()
    identity = ExternalIdentity.objects.filter(source=source, subject=subject)
    found = identity.select_related("user").first()
    user = found.user if found else _newcomer(source, subject, name)
    if not user.is_active:
        raise refused(_("This account is disabled."))
    for field, longest in FIELDS.items():
        if given := fields.get(field):
            setattr(user, field, given[:longest])
    user.save(update_fields=tuple(FIELDS))
    if roles:
        _take_role(user, role_from(groups, roles))
    return user


def _newcomer(source: str, subject: str, name: str) -> User:
    """Somebody new, or who was entered by an administrator without a password.

    A person with a password of ours is never taken over: whoever may choose a name at the provider
    would become them. Neither is one who came by another identity before.
    """
    user = User.objects.filter(username__iexact=name).first()
    if user is None:
        user = User(username=name)
        user.set_unusable_password()
        try:
            user.full_clean(exclude=["password"])
        except ValidationError as exc:
            logger.warning("sign_in_name_refused", source=source, error=str(exc.messages[0]))
            raise refused(_("The provider gives a name that cannot be used here.")) from exc
        user.save()
    elif user.has_usable_password() or user.identities.exists():
        logger.warning("sign_in_name_taken", source=source, name=name)
        message = _("There is a person called %(name)s already, who signs in differently.")
        raise refused(message % {"name": name})
    ExternalIdentity.objects.create(user=user, source=source, subject=subject)
    audit.note(user, f"identity: {source}")
    return user


def _take_role(user: User, role: str | None) -> None:
    """The role that the provider's groups give; the last administrator keeps theirs."""
    before = people.held_role(user)
    people.give_role(user, role)
    if role != ADMINISTRATOR and not people.administrators().exists():
        people.give_role(user, ADMINISTRATOR)
        logger.warning("last_administrator_kept", user=user.username, role_given=role)
        role = ADMINISTRATOR
    # What was read of the groups before is not true any more.
    user.__dict__.pop("_whalefall_role", None)
    user.__dict__.pop("_prefetched_objects_cache", None)
    if role != before:
        audit.note(user, f"role: {before or 'none'} -> {role or 'none'}")
