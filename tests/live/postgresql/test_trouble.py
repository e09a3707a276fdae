"""Databases that go away, fill up or answer slowly while the others are being read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.live.postgresql.conftest import newest_only
from whalefall.engines.errors import ConnectionLost
from whalefall.engines.observed import SectionStatus


@contextmanager
def database(server, name: str, *statements: str) -> Iterator[str]:
    server.run(f"CREATE DATABASE {name}")
    for statement in statements:
        server.run(statement)
    try:
        yield name
    finally:
        server.run(f"DROP DATABASE IF EXISTS {name}")


def test_a_database_dropped_in_between_is_named_and_the_others_count(server, engine, target):
    with database(server, "gone"), engine.connect(target) as opened:
        assert "gone" in {found.name for found in opened.databases}
        server.run("DROP DATABASE gone")
        observation = opened.observe()
    section = observation.sections["table"]
    assert "the database does not exist" in section.databases["gone"]
    assert any(grant.database == "shop" for grant in observation.grants_of("reader"))


def test_a_database_that_is_full_is_named(server, engine, target):
    server.run("CREATE ROLE plain LOGIN PASSWORD 'throw-away'")
    plain, limit = replace(target, username="plain"), "ALTER DATABASE crowded CONNECTION LIMIT 0"
    with database(server, "crowded", limit), engine.connect(plain) as opened:
        section = opened.observe().sections["table"]
    server.run("DROP ROLE plain")
    assert "the database's connection limit is reached" in section.databases["crowded"]


def test_a_connection_killed_in_one_database_costs_that_database_only(server, engine, target):
    with database(server, "murdered"), engine.connect(target) as opened:
        grants = opened.observe_grants()
        for grant in grants:
            if grant.database == "murdered" and grant.scope == "schema":
                break
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'murdered'"
        server.run(kill)
        left = list(grants)
    assert any(grant.database == "shop" for grant in left)
    if "murdered" in opened.sections["table"].databases:
        assert "in the middle of a read" in opened.sections["table"].databases["murdered"]


def test_a_server_that_dies_between_databases_is_a_lost_connection(server, engine, target):
    class Dying(type(server)):
        """The same binaries, a server of its own."""

    with Dying() as dying, engine.connect(replace(target, port=dying.port)) as opened:
        grants = opened.observe_grants()
        next(grant for grant in grants if grant.scope == "database")
        dying.process.kill()
        dying.process.wait()
        with pytest.raises(ConnectionLost):
            list(grants)


def test_a_slow_database_fails_its_sections_and_no_more(server, engine, target):
    lock = "BEGIN; LOCK TABLE pg_catalog.pg_largeobject_metadata IN ACCESS EXCLUSIVE MODE"
    with database(server, "slow"), server.connect("slow") as holder:
        holder.execute(lock)
        with engine.connect(replace(target, statement_timeout=1)) as opened:
            observation = opened.observe()
        holder.execute("ROLLBACK")
    section = observation.sections["table"]
    assert section.status is SectionStatus.FAILED
    assert "took longer than 1 s" in section.databases["slow"]
    assert any(grant.database == "shop" for grant in observation.grants_of("reader"))


def test_names_in_another_encoding_are_shown_by_their_bytes(server, engine, target):
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    server.run("SET client_encoding = 'UTF8'; CREATE ROLE \"J\u00e9r\u00f4me\"", "latin")
    try:
        with engine.connect(target) as opened:
            names = {account.username for account in opened.observe_accounts()}
    finally:
        server.run("SET client_encoding = 'UTF8'; DROP ROLE \"J\u00e9r\u00f4me\"", "latin")
        server.run("DROP DATABASE latin")
    assert "J\\xe9r\\xf4me" in names


@newest_only
def test_a_pg_hba_that_the_server_cannot_read_fails_that_section_only(server, engine, target):
    """The running server keeps the rules it has; only asking for the file fails."""
    file = server.folder / "data" / "pg_hba.conf"
    file.rename(file.with_suffix(".away"))
    try:
        with engine.connect(target) as opened:
            observation = opened.observe()
    finally:
        file.with_suffix(".away").rename(file)
    assert observation.sections["hba"].status is SectionStatus.FAILED
    assert "could not open file" in observation.sections["hba"].message
    assert observation.sections["database"].is_complete
