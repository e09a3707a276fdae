"""Tablespaces and tables with their sizes."""

from __future__ import annotations

import pytest

MEGABYTE = 2**20


@pytest.fixture
def sized(newest):
    newest.run("CREATE TABLE hr.big", "CREATE TABLE hr.empty")
    dictionary = newest.changed()
    dictionary.segments = [
        ("HR", "BIG", "TABLE", "USERS", 8 * MEGABYTE),
        ("HR", "BIG", "TABLE PARTITION", "USERS", 2 * MEGABYTE),
        ("HR", "BIG_PK", "INDEX", "USERS", 3 * MEGABYTE),
        ("HR", "SYS_LOB1", "LOBSEGMENT", "USERS", 4 * MEGABYTE),
        ("SYS", "OBJ$", "TABLE", "SYSTEM", MEGABYTE),
    ]
    dictionary.indexes = [("HR", "BIG_PK", "HR", "BIG")]
    dictionary.lobs = [("HR", "BIG", "SYS_LOB1")]
    dictionary.row_counts = {("HR", "BIG"): 12345}
    dictionary.tablespaces["BROKEN"] = {
        "contents": "PERMANENT", "status": "OFFLINE", "bytes": None, "max": None, "free": None,
    }  # fmt: skip
    return newest


def test_a_tablespace_is_as_big_as_its_files(engine, sized):
    with engine.connect(sized.target()) as opened:
        found = {one.name: one for one in opened.observe_databases()}
    assert found["USERS"].data_bytes == 100 * MEGABYTE
    assert found["USERS"].details["free_bytes"] == 10 * MEGABYTE
    assert found["USERS"].details["limit_bytes"] == 16 * 2**30 + 50 * MEGABYTE
    assert found["TEMP"].data_bytes == 50 * MEGABYTE
    assert opened.sections["sizes"].is_complete


def test_what_cannot_be_measured_has_a_reason_and_no_size(engine, sized):
    with engine.connect(sized.target()) as opened:
        found = {one.name: one for one in opened.observe_databases()}
    assert found["BROKEN"].data_bytes is None
    assert found["BROKEN"].reason == "no file of it can be read (tablespace is OFFLINE)"


def test_a_table_counts_its_partitions_indexes_and_lobs(engine, sized):
    with engine.connect(sized.target()) as opened:
        (big,) = opened.observe_tables("USERS")
    assert (big.database, big.schema, big.name, big.rows) == ("USERS", "HR", "BIG", 12345)
    assert (big.data_bytes, big.index_bytes) == (14 * MEGABYTE, 3 * MEGABYTE)


def test_sizes_without_rights_are_denied_with_the_grants(engine, sized):
    sized.run("CREATE USER poor IDENTIFIED BY x", "GRANT CREATE SESSION TO poor")
    with engine.connect(sized.target("poor")) as opened:
        assert list(opened.observe_databases()) == []
        assert list(opened.observe_tables("USERS")) == []
    assert "GRANT SELECT ON sys.dba_free_space TO POOR;" in opened.sections["sizes"].remedy
    assert "GRANT SELECT ON sys.dba_segments TO POOR;" in opened.sections["table_sizes"].remedy
