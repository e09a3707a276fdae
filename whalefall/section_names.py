"""What the parts of a reading (`ObservedSection`) are called for people."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

NAMES: dict[str, Any] = {
    "accounts": _("accounts"),
    "column": _("rights on columns"),
    "database": _("rights on databases"),
    "database_accounts": _("users in databases"),
    "database_memberships": _("roles in databases"),
    "databases": _("databases"),
    "definer": _("code in somebody's name"),
    "files": _("files of the server"),
    "free": _("free space"),
    "global": _("rights on the whole server"),
    "hba": _("pg_hba.conf"),
    "java": _("Java permissions"),
    "linked_servers": _("linked servers"),
    "memberships": _("memberships"),
    "other": _("rights on other objects"),
    "passwords": _("passwords"),
    "routine": _("rights on routines"),
    "schema": _("rights on schemas"),
    "sequence": _("rights on sequences"),
    "server": _("rights on the server"),
    "settings": _("settings"),
    "sizes": _("sizes"),
    "system": _("system privileges"),
    "table": _("rights on tables"),
    "table_sizes": _("sizes of tables"),
    "tablespace": _("rights on tablespaces"),
    "verifiers": _("password verifiers"),
    "volumes": _("volumes"),
}


def section_name(name: str) -> str:
    """A part that is not listed here keeps its name, with spaces."""
    return str(NAMES.get(name) or name.replace("_", " "))
