"""Tablespaces and tables with their sizes."""

from __future__ import annotations

import pytest

from capacity.models import DatabaseSizeStat, InstanceDatabase, InstanceSizeStat
from sync.models import SyncType
from sync.runner import sync_databases
from whalefall.instances.models import Credential, Instance

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


def test_without_any_right_no_tablespace_is_named_and_none_counts_as_gone(engine, sized):
    sized.run("CREATE USER poor IDENTIFIED BY x", "GRANT CREATE SESSION TO poor")
    with engine.connect(sized.target("poor")) as opened:
        assert list(opened.observe_databases()) == []
        assert list(opened.observe_tables("USERS")) == []
    sections = opened.sections
    assert sections["databases"].remedy == "GRANT SELECT ON sys.dba_tablespaces TO POOR;"
    assert "GRANT SELECT ON sys.dba_data_files TO POOR;" in sections["sizes"].remedy
    assert sections["free"].remedy == "GRANT SELECT ON sys.dba_free_space TO POOR;"
    assert "GRANT SELECT ON sys.dba_segments TO POOR;" in sections["table_sizes"].remedy


def test_tablespaces_whose_files_are_hidden_are_named_with_the_reason(engine, sized):
    sized.run(
        "CREATE USER poor IDENTIFIED BY x", "GRANT CREATE SESSION TO poor",
        "GRANT SELECT ON SYS.dba_tablespaces TO poor",
    )  # fmt: skip
    with engine.connect(sized.target("poor")) as opened:
        found = {one.name: one for one in opened.observe_databases()}
    assert opened.sections["databases"].is_complete
    assert found["USERS"].data_bytes is None
    assert found["USERS"].reason == opened.sections["sizes"].message != ""


def test_hidden_free_space_leaves_the_sizes(engine, sized):
    sized.run(
        "CREATE USER poor IDENTIFIED BY x", "GRANT CREATE SESSION TO poor",
        "GRANT SELECT ON SYS.dba_tablespaces TO poor",
        "GRANT SELECT ON SYS.dba_data_files TO poor", "GRANT SELECT ON SYS.dba_temp_files TO poor",
    )  # fmt: skip
    with engine.connect(sized.target("poor")) as opened:
        found = {one.name: one for one in opened.observe_databases()}
    assert found["USERS"].data_bytes == 100 * MEGABYTE
    assert found["USERS"].details["free_bytes"] is None
    assert opened.sections["free"].status == "denied"


@pytest.mark.django_db(transaction=True)
def test_a_sync_stores_tablespaces_with_their_free_space_and_limit(sized):
    target = sized.target()
    login = Credential.objects.create(
        name="collector", username=target.username, password=target.password
    )
    instance = Instance.objects.create(
        name="hr-db", db_type="oracle", host=target.host, port=target.port,
        database_name=target.database, tls_mode=target.tls_mode, credential=login,
    )  # fmt: skip
    for _twice in range(2):
        result = sync_databases(instance, SyncType.MANUAL_SINGLE)
        assert result["success"], result["message"]
    users = InstanceDatabase.objects.get(database_name="USERS")
    assert (users.size_bytes, users.free_bytes) == (100 * MEGABYTE, 10 * MEGABYTE)
    assert users.limit_bytes == 16 * 2**30 + 50 * MEGABYTE
    broken = InstanceDatabase.objects.get(database_name="BROKEN")
    assert (broken.size_bytes, broken.free_bytes) == (None, None)
    assert broken.reason == "no file of it can be read (tablespace is OFFLINE)"
    total = InstanceSizeStat.objects.get()
    days = DatabaseSizeStat.objects.values_list("size_bytes", flat=True)
    assert total.size_bytes == sum(size for size in days if size is not None)
    assert (total.database_count, total.measured_count) == (len(days), len(days) - 1)
