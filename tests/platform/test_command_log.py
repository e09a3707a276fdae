"""What `manage.py` did is in the audit log, under the name of who ran it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError

from tags.models import Tag
from tests.admin import fleet
from whalefall import command_log
from whalefall.models import AuditEntry, User

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
PASSWORD = "s3cr3t-of-the-collector"


@pytest.fixture(autouse=True)
def li(monkeypatch):
    monkeypatch.setenv("LOGNAME", "li")
    monkeypatch.delenv("SUDO_USER", raising=False)


def run(monkeypatch, *words: str, status: int = 0) -> AuditEntry | None:
    """As a person runs it; Django's own `setup` was done by the tests."""

    def inside(argv: list[str]) -> None:
        from django.core.management import call_command

        try:
            call_command(argv[1], *argv[2:])
        except CommandError:
            sys.exit(1)

    monkeypatch.setattr(command_log, "execute_from_command_line", inside)
    argv = ["manage.py", *words]
    if status:
        with pytest.raises(SystemExit):
            command_log.execute(argv)
    else:
        command_log.execute(argv)
    return AuditEntry.objects.first()


def add_instance(monkeypatch, name: str = "orders-db", status: int = 0) -> AuditEntry | None:
    monkeypatch.setenv("COLLECTOR", PASSWORD)
    words = ["add_instance", name, "--engine", "mysql", "--host", "10.0.0.5", "--username", "wf"]
    return run(monkeypatch, *words, "--password-env", "COLLECTOR", status=status)


def test_who_ran_what_on_which_object_is_kept(monkeypatch):
    entry = add_instance(monkeypatch)
    assert (entry.username, entry.via, entry.action) == ("li", "command", "add_instance")
    assert (entry.result, entry.status, entry.user) == ("done", 0, None)
    assert "orders-db" in entry.details["objects"]


def test_options_are_named_without_their_values(monkeypatch):
    entry = add_instance(monkeypatch)
    assert "--password-env" in entry.details["options"]
    assert "10.0.0.5" not in str(entry.details)
    assert PASSWORD not in str(AuditEntry.objects.values())


def test_a_command_that_failed_is_kept_as_failed(monkeypatch):
    fleet.instance("orders-db")
    entry = add_instance(monkeypatch, status=1)
    assert (entry.result, entry.status) == ("failed", 1)


def test_commands_of_django_are_kept_as_well(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "orca-swims-deep-7")
    entry = run(
        monkeypatch, "createsuperuser", "--noinput", "--username=ada", "--email=a@b.example"
    )
    assert (entry.action, entry.object_type, entry.object_name) == (
        "createsuperuser",
        "whalefall.user",
        "ada",
    )
    assert entry.details == {"options": ["--email", "--noinput", "--username"]}


@pytest.mark.parametrize("words", [("accounts",), ("jobs", "list"), ("check",), ("sync", "--help")])
def test_what_only_reads_is_not_kept(monkeypatch, words):
    monkeypatch.setattr(command_log, "execute_from_command_line", lambda argv: None)
    command_log.execute(["manage.py", *words])
    assert not AuditEntry.objects.exists()


def test_behind_sudo_it_is_who_asked(monkeypatch):
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setenv("SUDO_USER", "li")
    assert command_log.os_user() == "li (as root)"


def test_a_store_without_tables_is_no_reason_to_fail(monkeypatch):
    from django.db import DatabaseError

    def away(**values: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(AuditEntry.objects, "create", away)
    run(monkeypatch, "load_rules")


def test_outside_of_a_command_nothing_is_noted(monkeypatch):
    run(monkeypatch, "load_rules")
    Tag.objects.create(name="x")
    User.objects.create(username="y")
    assert AuditEntry.objects.count() == 1


def test_the_entry_point_uses_it():
    environment = {**os.environ, "WHALEFALL_LOG_LEVEL": "ERROR"}
    answer = subprocess.run(
        [sys.executable, "manage.py", "diffsettings"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "whalefall.urls" in answer.stdout
    assert "command_log import execute" in (ROOT / "manage.py").read_text()
