"""Sizes in bytes, as the server counts them; None with a reason where it would not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whalefall.engines.observed import SectionStatus
from whalefall.engines.postgresql.engine import FOLDER


def test_every_database_has_the_size_the_server_says(server, engine, target):
    with engine.connect(target) as opened:
        found = {database.name: database for database in opened.observe_databases()}
    with server.connect() as connection:
        rows = connection.execute("SELECT datname, pg_database_size(oid) FROM pg_database")
        assert {name: found[name].data_bytes for name in found} == dict(rows.fetchall())
    assert found["shop"].owner == "shop_owner"
    assert found["shop"].log_bytes is None
    assert found["closed"].details["accepts_connections"] is False


def test_a_size_that_may_not_be_seen_is_none_with_the_reason(server, engine, target):
    server.run("CREATE ROLE poor LOGIN PASSWORD 'throw-away'")
    with engine.connect(replace(target, username="poor")) as opened:
        found = {database.name: database for database in opened.observe_databases()}
    server.run("DROP ROLE poor")
    assert found["private"].data_bytes is None
    assert found["private"].reason == "needs CONNECT on the database, or pg_read_all_stats"
    assert found["shop"].data_bytes > 0


def test_a_database_that_is_dropped_meanwhile_takes_no_size_from_the_others(server):
    """A transaction of one snapshot still sees it in the catalog; its files are gone."""
    sizes = (FOLDER / "sql" / "database_sizes.sql").read_text()
    server.run("CREATE DATABASE short_lived")
    with server.connect() as connection:
        connection.autocommit = True
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM pg_database")
        server.run("DROP DATABASE short_lived")
        found = {row[0]: row[2] for row in connection.execute(sizes).fetchall()}
        connection.execute("ROLLBACK")
    assert found["short_lived"] is None
    assert found["shop"] > 0


def test_sizes_cost_three_statements(engine, target):
    with engine.connect(target) as opened:
        list(opened.observe_databases())
        assert opened.statements == 3  # BEGIN, the query, COMMIT


def test_tables_have_sizes_and_rows_once_analyzed(server, engine, target):
    server.run("CREATE TABLE public.filled AS SELECT generate_series(1, 5000) AS i", "private")
    server.run("CREATE TABLE public.fresh (i int PRIMARY KEY)", "private")
    server.run("ANALYZE public.filled", "private")
    with engine.connect(target) as opened:
        found = {table.name: table for table in opened.observe_tables("private")}
    server.run("DROP TABLE public.filled, public.fresh", "private")
    assert found["filled"].rows == 5000
    assert found["filled"].data_bytes > 100_000
    assert (found["fresh"].rows, found["fresh"].index_bytes) == (None, 8192)


@pytest.mark.parametrize("name", ["closed", "nowhere"])
def test_tables_of_a_database_that_refuses_are_denied(engine, target, name):
    with engine.connect(target) as opened:
        assert list(opened.observe_tables(name)) == []
        section = opened.sections["table_sizes"]
    assert section.status is SectionStatus.DENIED
    assert name in section.message
