"""What Django's system checks say about our own settings, before anybody meets it at run time."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from whalefall.auth import ROLES

GROUP_TYPES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "activeDirectory")


@register()
def sign_in(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Single sign-on and the directory, where they are set up."""
    return [
        *_oidc(),
        *_ldap(),
        *_roles("OIDC_ROLES", settings.OIDC_ROLES),
        *_roles("LDAP_ROLES", settings.LDAP_ROLES),
    ]


def _oidc() -> list[CheckMessage]:
    if not settings.OIDC_ISSUER:
        return []
    found: list[CheckMessage] = []
    if not settings.OIDC_CLIENT_ID:
        found.append(Error("OIDC_ISSUER is set without OIDC_CLIENT_ID.", id="whalefall.E001"))
    if not settings.OIDC_ISSUER.startswith("https://") and not settings.DEV:
        hint = "Whoever stands in between could sign in as anybody: use its https:// address."
        found.append(Error("OIDC_ISSUER is not https://", hint=hint, id="whalefall.E002"))
    if find_spec("authlib") is None:
        hint = "pip install -r requirements-oidc.txt"
        found.append(Error("OIDC_ISSUER needs Authlib.", hint=hint, id="whalefall.E003"))
    return found


def _ldap() -> list[CheckMessage]:
    if not settings.LDAP_URL:
        return []
    found: list[CheckMessage] = []
    clear = any(not url.startswith(("ldaps://", "ldapi://")) for url in settings.LDAP_URL.split())
    if clear and not settings.LDAP_START_TLS and not settings.DEV:
        hint = "Use ldaps://, or LDAP_START_TLS=1."
        message = "LDAP_URL would send passwords in the clear."
        found.append(Error(message, hint=hint, id="whalefall.E004"))
    if settings.LDAP_GROUP_TYPE not in GROUP_TYPES:
        message = f"Unknown LDAP_GROUP_TYPE: {settings.LDAP_GROUP_TYPE}."
        hint = f"Must be one of: {', '.join(GROUP_TYPES)}."
        found.append(Error(message, hint=hint, id="whalefall.E005"))
    if find_spec("django_auth_ldap") is None:
        hint = "pip install -r requirements-ldap.txt (docs/sign-in.md says what it needs)"
        found.append(Error("LDAP_URL needs django-auth-ldap.", hint=hint, id="whalefall.E006"))
    return found


def _roles(name: str, roles: Any) -> list[CheckMessage]:
    """`{"administrator": ["group", ...]}`"""
    known = isinstance(roles, dict) and set(roles) <= set(ROLES)
    if known and all(
        isinstance(groups, list) and all(isinstance(each, str) for each in groups)
        for groups in roles.values()
    ):
        return []
    hint = f"A JSON object; keys out of {', '.join(ROLES)}; values are lists of names of groups."
    return [Error(f"{name} is not a mapping of roles.", hint=hint, id="whalefall.E007")]
