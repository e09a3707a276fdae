"""manage.py verify_engine: what it prints, and when it fails."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sync.verification import chosen
from tests.fakes.oracle.server import FakeOracle
from tests.sync import cast
from whalefall.engines.observed import Observation, ObservedAccount
from whalefall.engines.testimony import Unasked

pytestmark = pytest.mark.django_db
CAST = (
    "CREATE ROLE team", "CREATE USER alice IDENTIFIED BY wonder",
    "GRANT CREATE SESSION TO alice", "GRANT SELECT ANY TABLE TO team", "GRANT team TO alice",
)  # fmt: skip


@pytest.fixture
def hr_db():
    """A fake Oracle, and the instance that stands for it."""
    with FakeOracle() as server:
        server.run(*CAST)
        login = cast.credential("system", username="system", password="x")
        target = server.target()
        cast.instance(
            "hr-db", db_type="oracle", host=target.host, port=target.port,
            database_name=target.database, credential=login,
        )  # fmt: skip
        yield server


def told(*words, **options):
    out = io.StringIO()
    call_command("verify_engine", "hr-db", *words, stdout=out, **options)
    return out.getvalue()


def test_it_counts_what_agrees_by_what_the_server_said_it_with(hr_db):
    text = told()
    assert text.startswith("hr-db, 19.21.0.0.0: ")
    assert "answers of SESSION_PRIVS agree." in text
    assert "answers of DBA_ROLE_PRIVS, DBA_SYS_PRIVS agree." in text


def test_it_asks_with_another_login_and_stores_nothing(hr_db, monkeypatch):
    monkeypatch.setenv("ALICE", "wonder")
    found = json.loads(told("--as", "alice", "--password-env", "ALICE", "--json"))
    assert found["differences"] == []
    assert found["agreed"]["SESSION_ROLES"] == 1
    assert found["not_asked"][0]["remedy"]
    assert "wonder" not in json.dumps(found)


def test_it_fails_where_the_two_differ_and_names_each_difference(hr_db, monkeypatch):
    """Facts that forget a role, as a fault of ours would: the server still counts it."""
    from whalefall.engines.oracle.rules import OracleRules

    monkeypatch.setattr(OracleRules, "reachable", lambda self, membership: False)
    monkeypatch.setattr(OracleRules, "applies", lambda self, membership: False)
    out = io.StringIO()
    with pytest.raises(CommandError, match="differences"):
        call_command("verify_engine", "hr-db", "--account", "ALICE", stdout=out)
    assert "SELECT ANY TABLE on system" in out.getvalue()
    assert "role TEAM" in out.getvalue()


def test_it_names_an_account_that_is_not_there(hr_db):
    with pytest.raises(CommandError, match="No such account: BOB"):
        told("--account", "BOB")


def test_another_login_needs_its_password_from_the_environment(hr_db):
    with pytest.raises(CommandError, match="--as needs --password-env"):
        told("--as", "alice")
    with pytest.raises(CommandError, match="NOWHERE is not set"):
        told("--as", "alice", "--password-env", "NOWHERE")


def test_a_refused_login_is_one_line_with_the_remedy(hr_db, monkeypatch):
    monkeypatch.setenv("ALICE", "wrong")
    with pytest.raises(CommandError, match="ORA-01017"):
        told("--as", "alice", "--password-env", "ALICE")


def test_the_accounts_asked_about_are_spread_over_all():
    names = [f"u{number:02}" for number in range(20)]
    observation = Observation("oracle", accounts={name: ObservedAccount(name) for name in names})
    assert chosen(observation, 5) == ["u00", "u04", "u08", "u12", "u16"]
    assert chosen(observation, 100) == names
    assert chosen(observation, 5, ["u07"]) == ["u07"]


def test_those_that_lack_the_same_right_are_one_line():
    from sync.management.commands.verify_engine import _grouped

    unasked = [Unasked(f"u{number}", "denied", "GRANT IT;") for number in range(7)]
    (line, other) = _grouped([*unasked, Unasked("", "the root")], "hr-db")
    assert line.subject == "u0, u1, u2, u3, u4 and 2 more"
    assert other.subject == "hr-db"
