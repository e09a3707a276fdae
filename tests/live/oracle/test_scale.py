"""PUBLIC's tens of thousands of grants stream."""

from __future__ import annotations

import tracemalloc

from tests.fakes.oracle.dictionary import Options


def test_publics_thirty_thousand_grants_stream(engine, newest):
    dictionary = newest.changed()
    for number in range(30_000):
        place = ("SYS", f"PACKAGE_{number}")
        dictionary.objects[place] = "PACKAGE"
        key = ("PUBLIC", "EXECUTE", *place, "SYS", True)
        dictionary.object_grants[key] = Options()
    with engine.connect(newest.target(statement_timeout=120)) as opened:
        list(opened.observe_accounts())
        tracemalloc.start()
        count = sum(1 for grant in opened.observe_grants() if grant.grantee == "PUBLIC")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count > 30_000
    assert "PACKAGE_29999" in {key[3] for key in dictionary.object_grants}
    assert peak < 60 * 2**20, "the fake's own rows are in this figure, too"
