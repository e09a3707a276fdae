"""One batch over all databases, and what becomes of it when one of them is bad."""

from __future__ import annotations

import pytest

from whalefall.engines.errors import (
    ConnectionLost,
    EngineError,
    PermissionDenied,
    StatementTimeout,
)
from whalefall.engines.sqlserver.databases import Database, Reading, filled

FINE = {"may_enter": 1, "views_definition": 1}


class Script:
    """A connection that answers each batch as told: a list of rows, the last may be an error."""

    def __init__(self, *batches):
        self.batches, self.sent = list(batches), []

    def sets(self, sql):
        self.sent.append(sql)
        for entry in self.batches.pop(0):
            if isinstance(entry, Exception):
                raise entry
            yield entry


def online(name, **more):
    values = {"state": "ONLINE", "access": "MULTI_USER", "may_enter": True} | more
    return Database(
        name,
        None,
        None,
        values["state"],
        values["access"],
        False,
        False,
        0,
        values["may_enter"],
        {},
    )


def rows_of(*numbers):
    """Rights and one row for each of these databases of the batch."""
    return [entry for n in numbers for entry in ((2 * n, FINE), (2 * n + 1, {"row": n}))]


def read(*batches, found=("a", "b", "c")):
    script = Script(*batches)
    reading = Reading(script, [online(name) for name in found], "me", 15)
    seen = [each.name for each, _, _ in reading.rows("rights {name}", ("rows {database}",))]
    return seen, reading.troubles, script.sent


def test_all_are_read_in_one_batch():
    seen, troubles, sent = read(rows_of(0, 1, 2))
    assert (seen, troubles, len(sent)) == (["a", "b", "c"], {}, 1)


def test_the_one_that_fails_in_the_middle_is_named_and_the_rest_read():
    error = EngineError("Database 'b' cannot be opened because it is offline.")
    seen, troubles, sent = read([*rows_of(0), (2, FINE), error], rows_of(0))
    assert (seen, list(troubles), len(sent)) == (["a", "c"], ["b"], 2)
    assert "[b]" not in sent[1]


def test_a_batch_that_is_refused_as_a_whole_for_one_is_sent_again_without_it():
    error = PermissionDenied('The server principal "me" is not able to access the database "c".')
    seen, troubles, sent = read([error], rows_of(0, 1))
    assert (seen, list(troubles), len(sent)) == (["a", "b"], ["c"], 2)
    assert troubles["c"].is_denied


def test_a_batch_that_is_refused_for_nobody_in_particular_is_not_tried_again():
    seen, troubles, sent = read([StatementTimeout("too long")])
    assert (seen, sorted(troubles), len(sent)) == ([], ["a", "b", "c"], 1)


def test_a_lost_connection_is_no_databases_fault():
    with pytest.raises(ConnectionLost):
        read([*rows_of(0), ConnectionLost("gone")])


def test_the_section_names_each_with_its_reason():
    script = Script(rows_of(0))
    found = [online("a"), online("old", state="OFFLINE"), online("tempdb")]
    reading = Reading(script, found, "me", 15)
    list(reading.rows("rights", ("rows",)))
    section = reading.section("table")
    assert section.databases == {"old": "the database is OFFLINE"}
    assert section.message == "1 of 2 databases could not be read in full: old"


def test_single_user_mode_is_not_the_logins_fault():
    trouble = online("a", access="SINGLE_USER", may_enter=False).trouble("me", 15)
    assert (trouble.reason, trouble.is_denied) == ("the database is in SINGLE_USER mode", False)


def test_names_are_quoted_for_the_place_they_stand_in():
    text = "{database}.x, {name}, {quoted_name}"
    assert filled(text, "o'b]") == "[o'b]]].x, N'o''b]', N'[o''b]]]'"
