"""The audit log of `manage.py`: one entry for every command that is not known to only read.

Who it was is the user of the operating system. As for requests, the names of objects and options
are kept, values never.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from typing import Any

import structlog
from django.apps import apps
from django.core.management import execute_from_command_line
from django.db import DatabaseError
from django.db.models.signals import post_delete, post_save
from structlog.contextvars import bound_contextvars

from whalefall import notes

logger = structlog.get_logger(__name__)

ONLY_READ = {
    *("accounts", "access", "collector_grants", "test_connection", "verify_engine"),
    *("check", "diffsettings", "help", "makemigrations", "showmigrations", "spectacular"),
    *("sqlmigrate", "version", "collectstatic", "compilemessages", "makemessages", "test"),
    # What they do is done by people, or by schedules that people set.
    *("qcluster", "qmonitor", "qinfo", "runserver", "jobs list"),
}
NOTED = {
    *("whalefall.User", "whalefall.ApiToken", "instances.Instance", "instances.Credential"),
    *("tags.Tag", "classification.AccountClassification", "classification.ClassificationRule"),
    *("classification.RiskException", "django_q.Schedule", "sync.SyncSession"),
}
"""Models whose rows are named in the entry when a command saves or deletes them."""
INTERRUPTED = 130


def os_user() -> str:
    """Who runs this process; behind sudo, who asked for it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an id without a name, as in containers
        name = f"uid {os.getuid()}"
    asked = os.environ.get("SUDO_USER")
    return f"{asked} (as {name})" if asked and asked != name else name


def execute(argv: Sequence[str]) -> None:
    """Django's `execute_from_command_line`, with an entry when it ends, however it ends."""
    if only_reads(argv):
        execute_from_command_line(list(argv))
        return
    who, status = os_user(), 1
    post_save.connect(_noted, dispatch_uid="command_log")
    post_delete.connect(_noted, dispatch_uid="command_log")
    with notes.noting() as found, bound_contextvars(user=who):
        try:
            execute_from_command_line(list(argv))
            status = 0
        except KeyboardInterrupt:
            status = INTERRUPTED
            raise
        except SystemExit as exc:  # a CommandError: Django has printed its line
            status = exc.code if isinstance(exc.code, int) else int(bool(exc.code))
            raise
        finally:
            _write(who, argv, found, status)


def only_reads(argv: Sequence[str]) -> bool:
    words = list(argv[1:3])
    if not words or words[0].startswith("-") or {"-h", "--help"} & set(argv):
        return True
    return words[0] in ONLY_READ or " ".join(words) in ONLY_READ


def _noted(sender: Any, instance: Any, **kwargs: Any) -> None:
    if sender._meta.label in NOTED:
        notes.note(instance)


def _write(who: str, argv: Sequence[str], found: list[dict[str, Any]], status: int) -> None:
    if not apps.models_ready:  # the settings were wrong: there is no store to write to
        return
    from whalefall.models import AuditEntry

    about = notes.only_one(found)
    try:
        AuditEntry.objects.create(
            username=who[:150],
            via="command",
            action=argv[1][:100],
            object_type=about["type"] if about else "",
            object_id=about["id"] if about else "",
            object_name=about["name"][:200] if about else "",
            details=notes.details(found, about) | _options(argv),
            result="failed" if status else "done",
            status=min(abs(status), 255),
        )
    except DatabaseError as exc:  # before the first `migrate`, or the store is away
        logger.warning("audit_failed", command=argv[1], error=type(exc).__name__)


def _options(argv: Sequence[str]) -> dict[str, list[str]]:
    names = sorted({word.partition("=")[0] for word in argv[2:] if word.startswith("--")})
    return {"options": names} if names else {}
