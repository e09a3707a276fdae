"""Sign-in with the password of an LDAP directory, through the ordinary login form and API.

django-auth-ldap searches, binds and reads groups; who that is here is up to `sign_in`. Listed among
the backends only where LDAP_URL is set, so that python-ldap need not be installed otherwise.
"""

from __future__ import annotations

from typing import Any

import ldap
import structlog
from django.conf import settings
from django_auth_ldap import config
from django_auth_ldap.backend import LDAPBackend, ldap_error

from whalefall import sign_in
from whalefall.models import User

logger = structlog.get_logger(__name__)

GROUP_TYPES = {
    "groupOfNames": config.NestedGroupOfNamesType,
    "groupOfUniqueNames": config.NestedGroupOfUniqueNamesType,
    "posixGroup": config.PosixGroupType,
    "activeDirectory": config.NestedActiveDirectoryGroupType,
}
"""What LDAP_GROUP_TYPE may say; groups within groups count, where the kind has them."""
UNIQUE_IDS = ("entryUUID", "objectGUID", "ipaUniqueID", "nsUniqueId")
"""What stays the same when an entry is renamed or moved: OpenLDAP's, Active Directory's, others'"""


def ldap_settings() -> dict[str, Any]:
    """Our LDAP_... settings as django-auth-ldap reads them, below its prefix."""
    options = {
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_NETWORK_TIMEOUT: settings.CONNECT_TIMEOUT,
        ldap.OPT_TIMEOUT: settings.CONNECT_TIMEOUT,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
    }
    if settings.LDAP_CA_FILE:
        options[ldap.OPT_X_TLS_CACERTFILE] = settings.LDAP_CA_FILE
    options[ldap.OPT_X_TLS_NEWCTX] = 0  # last: it makes the others count
    group_type = GROUP_TYPES[settings.LDAP_GROUP_TYPE]()
    return {
        "SERVER_URI": settings.LDAP_URL,
        "START_TLS": settings.LDAP_START_TLS,
        "BIND_DN": settings.LDAP_BIND_DN,
        "BIND_PASSWORD": settings.LDAP_BIND_PASSWORD,
        "CONNECTION_OPTIONS": options,
        "USER_SEARCH": config.LDAPSearch(
            settings.LDAP_USER_BASE,
            ldap.SCOPE_SUBTREE,
            settings.LDAP_USER_FILTER,
            ["*", *UNIQUE_IDS],
        ),
        "GROUP_TYPE": group_type,
        "GROUP_SEARCH": config.LDAPSearch(
            settings.LDAP_GROUP_BASE, ldap.SCOPE_SUBTREE, settings.LDAP_GROUP_FILTER
        ),
    }


class DirectoryBackend(LDAPBackend):
    """Lets in whom the directory knows, as `sign_in.admit` says. An empty password never does.

    Raises ApiError: 503 where the directory cannot be asked, 403 where the person may not enter.
    """

    def __init__(self) -> None:
        for name, value in ldap_settings().items():
            setattr(self.settings, name, value)

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """Called when the password was right and before anything is stored."""
        entry = ldap_user.attrs
        user = sign_in.admit(
            "ldap",
            subject_of(entry, ldap_user.dn),
            _first(entry, settings.LDAP_USERNAME_ATTRIBUTE) or username,
            {*ldap_user.group_names, *ldap_user.group_dns} if settings.LDAP_ROLES else (),
            settings.LDAP_ROLES,
            first_name=_first(entry, "givenName"),
            last_name=_first(entry, "sn"),
            email=_first(entry, "mail"),
        )
        return user, False

    def get_user(self, user_id: int) -> User | None:
        """Without django-auth-ldap's ties to the directory: rights are roles, as everybody's."""
        return User.objects.filter(pk=user_id, is_active=True).first()


# Everything is written by `admit`; the library would fill in and save the person a second time.
DirectoryBackend.default_settings = {"ALWAYS_UPDATE_USER": False, "FIND_GROUP_PERMS": False}


def subject_of(entry: Any, dn: str) -> str:
    """What identifies an entry for good; its DN where the directory has nothing better."""
    for name in UNIQUE_IDS:
        if value := entry.get(name):
            first = value[0]
            return f"{name}:{first.hex() if isinstance(first, bytes) else first}".lower()
    return f"dn:{dn.lower()}"[:500]


def _first(entry: Any, name: str) -> str:
    values = entry.get(name) or [""]
    return values[0] if isinstance(values[0], str) else ""


def _failed(sender: Any, context: str, exception: Exception, **kwargs: Any) -> None:
    """An error is no answer: neither a wrong password nor a person without groups."""
    if issubclass(sender, DirectoryBackend):
        logger.error("ldap_directory_away", doing=context, error=type(exception).__name__)
        raise sign_in.unavailable() from exception


ldap_error.connect(_failed, dispatch_uid="directory")
