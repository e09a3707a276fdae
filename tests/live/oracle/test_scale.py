"""How many statements it takes, counted by the server, and how much memory."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.fakes.oracle.dictionary import Options


@pytest.mark.parametrize("count", [100, 5000])
def test_the_number_of_statements_does_not_depend_on_the_users(engine, newest, count):
    newest.run(*(f"CREATE USER u{number} IDENTIFIED BY x" for number in range(count)))
    newest.run(f"GRANT CREATE SESSION, team_rw TO {', '.join(f'u{n}' for n in range(count))}")
    with engine.connect(newest.target()) as opened:
        found = opened.observe()
        counted = opened.statements
    assert sum(name.startswith("U") for name in found.accounts) >= count
    assert counted == len(newest.net.statements) == 17


def test_publics_thirty_thousand_grants_stream(engine, newest):
    dictionary = newest.changed()
    for number in range(30_000):
        place = ("SYS", f"PACKAGE_{number}")
        dictionary.objects[place] = "PACKAGE"
        key = ("PUBLIC", "EXECUTE", *place, "SYS", True)
        dictionary.object_grants[key] = Options()
    with engine.connect(newest.target()) as opened:
        list(opened.observe_accounts())
        tracemalloc.start()
        count = sum(1 for grant in opened.observe_grants() if grant.grantee == "PUBLIC")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count > 30_000
    assert "PACKAGE_29999" in {key[3] for key in dictionary.object_grants}
    assert peak < 60 * 2**20, "the fake's own rows are in this figure, too"
