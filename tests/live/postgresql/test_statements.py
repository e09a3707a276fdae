"""How many statements it takes, counted by the server itself, and how much memory."""

from __future__ import annotations

import os
import re
import tracemalloc

import pytest

from tests.live.postgresql.conftest import newest_only

MANY = """
DO $$ BEGIN
  FOR i IN 1..{count} LOOP
    EXECUTE format('CREATE ROLE many_%s LOGIN', i);
    IF i % 10 = 0 THEN EXECUTE format('GRANT many_%s TO many_%s', i - 1, i); END IF;
  END LOOP;
END $$"""


@pytest.fixture
def roles(server, request):
    server.run(MANY.format(count=request.param))
    yield request.param
    names = f"SELECT 'many_' || i FROM generate_series(1, {request.param}) i"
    server.run(
        f"DO $$ DECLARE n text; BEGIN FOR n IN {names} LOOP"
        " EXECUTE format('DROP ROLE %I', n); END LOOP; END $$"
    )


def statements_logged(server, engine, target) -> list[str]:
    """What the server's own log says that it was sent."""
    server.run("ALTER SYSTEM SET log_statement = 'all'")
    server.run("SELECT pg_reload_conf()")
    log = server.folder / "log"
    try:
        with engine.connect(target) as opened:
            list(opened.session.rows("SELECT pg_sleep(0.3)"))
            opened.session.commit()
            before, opened.statements = os.path.getsize(log), 0
            observation = opened.observe()
            counted = opened.statements
    finally:
        server.run("ALTER SYSTEM RESET log_statement")
        server.run("SELECT pg_reload_conf()")
    with log.open() as file:
        file.seek(before)
        said = file.read().partition("statement: ALTER SYSTEM RESET")[0]
    ours = re.findall(r"LOG:  (?:execute <unnamed>|statement): (\S+)", said)
    assert len(ours) == counted
    return [str(len(observation.accounts)), *ours]


@pytest.mark.parametrize("roles", [2000], indirect=True)
def test_the_number_of_statements_does_not_depend_on_the_roles(server, engine, target, roles):
    databases = 5  # postgres, template1, shop, private and the awkward one; closed is not entered
    accounts, *sent = statements_logged(server, engine, target)
    assert int(accounts) > roles
    assert len(sent) == 8 + 3 * databases


def test_probing_first_costs_no_more(engine, target):
    with engine.connect(target) as opened:
        opened.probe()
        opened.observe()
        assert opened.statements == 8 + 3 * 5


@newest_only
def test_rows_stream(engine, target):
    with engine.connect(target) as opened:
        tracemalloc.start()
        count = sum(
            1
            for _ in opened.session.rows(
                "SELECT repeat('x', 100), i FROM generate_series(1, 200000) i"
            )
        )
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 200_000
    assert peak < 5_000_000
