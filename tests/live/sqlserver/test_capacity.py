"""Databases with their sizes, limits and free space; and what is said where they are hidden."""

from __future__ import annotations

import pytest

from capacity.models import DatabaseSizeStat, InstanceDatabase, InstanceOutlook, InstanceSizeStat
from sync.models import SyncType
from sync.runner import sync_databases
from tests.live.sqlserver.conftest import target_of
from tests.live.sqlserver.fleet import ADMIN, PASSWORD
from whalefall.engines.observed import SectionStatus
from whalefall.instances.models import Credential, Instance

PAGE = 8192
SIZED = ("databases", "sizes", "free")


def sizes_seen_by(server, engine, login, password="Str0ng!"):
    with engine.connect(target_of(server, login, password)) as opened:
        return {d.name: d for d in opened.observe_databases()}, dict(opened.sections)


def test_every_database_has_the_size_of_its_files_with_what_is_free(server, engine):
    with engine.connect(target_of(server)) as opened:
        found = {d.name: d for d in opened.observe_databases()}
    sales = found["sales"]
    assert (sales.data_bytes, sales.log_bytes, sales.owner) == (1024 * PAGE, 256 * PAGE, "boss")
    assert sales.details["free_bytes"] == 64 * PAGE
    assert sales.details["limit_bytes"] is None  # until the disk is full
    assert sales.details["files"] == 2
    assert all(opened.sections[name].is_complete for name in ("databases", "sizes"))


def test_a_limit_of_growth_is_told(own, engine):
    databases = own.backend.server.databases
    databases["sales"].max_pages, databases["chained"].max_pages = 5000, 0
    found, _ = sizes_seen_by(own, engine, "sa", "Sa-Pass-1")
    assert found["sales"].details["limit_bytes"] == 5000 * PAGE
    assert found["chained"].details["limit_bytes"] == 1024 * PAGE  # it may not grow at all


def test_an_offline_database_has_a_size_and_no_free_space(server, engine):
    with engine.connect(target_of(server)) as opened:
        found = {d.name: d for d in opened.observe_databases()}
        section = opened.sections["free"]
    assert found["legacy"].data_bytes == 1024 * PAGE
    assert found["legacy"].details["free_bytes"] is None
    assert section.databases["legacy"] == "the database is OFFLINE"


def test_hidden_files_leave_the_databases_named_with_the_reason(own, engine):
    own.backend.server.grant("VIEW SERVER STATE", "lazy")
    found, sections = sizes_seen_by(own, engine, "lazy", "lazy")
    assert sections["databases"].is_complete
    assert sections["sizes"].status is SectionStatus.DENIED
    assert sections["sizes"].remedy == "GRANT VIEW ANY DEFINITION TO [lazy];"
    assert found["sales"].data_bytes is None
    assert "no VIEW ANY DEFINITION" in found["sales"].reason


def test_without_view_any_database_what_is_not_named_is_not_gone(own, engine):
    server = own.backend.server
    server.grant("VIEW ANY DEFINITION", "lazy")
    server.deny("VIEW ANY DATABASE", "lazy")
    found, sections = sizes_seen_by(own, engine, "lazy", "lazy")
    assert "chained" not in found
    assert "sales" in found
    assert sections["databases"].status is SectionStatus.DENIED
    assert sections["databases"].remedy == "GRANT VIEW ANY DATABASE TO [lazy];"


def test_without_view_server_state_only_the_free_space_is_missing(own, engine):
    own.backend.server.grant("VIEW ANY DEFINITION", "lazy")
    found, sections = sizes_seen_by(own, engine, "lazy", "lazy")
    assert found["sales"].data_bytes == 1024 * PAGE
    assert found["sales"].details["free_bytes"] is None
    assert sections["free"].remedy == "GRANT VIEW SERVER STATE TO [lazy];"


def test_azure_measures_the_one_database(own, engine):
    own.backend.server.engine_edition = 5
    with engine.connect(target_of(own, database="sales")) as opened:
        (found,) = opened.observe_databases()
    assert (found.name, found.data_bytes) == ("sales", 1024 * PAGE)
    assert all(opened.sections[name].is_complete for name in SIZED)


def test_volumes_tell_what_is_free(server, engine):
    with engine.connect(target_of(server)) as opened:
        found = {
            each.name: (each.total_bytes, each.free_bytes) for each in opened.observe_volumes()
        }
        assert opened.sections["volumes"].is_complete
    assert found["D:\\"] == (500 * 2**30, 60 * 2**30)
    assert len(found) == 2


def test_volumes_take_view_server_state(own, engine):
    with engine.connect(target_of(own, "lazy", "lazy")) as opened:
        assert list(opened.observe_volumes()) == []
        section = opened.sections["volumes"]
    assert section.status is SectionStatus.DENIED
    assert section.remedy == "GRANT VIEW SERVER STATE TO [lazy];"


def test_the_statements_do_not_depend_on_the_databases(own, engine):
    counts = []
    for _ in range(2):
        with engine.connect(target_of(own)) as opened:
            before = opened.statements
            list(opened.observe_databases())
            counts.append(opened.statements - before)
        for number in range(50):
            own.backend.server.database(f"more{number}-{len(counts)}")
    assert counts == [3, 3]


@pytest.mark.django_db(transaction=True)
def test_a_sync_stores_sizes_free_space_limits_and_reasons(own):
    own.backend.server.databases["sales"].max_pages = 5000
    login = Credential.objects.create(name="boss", username=ADMIN, password=PASSWORD)
    instance = Instance.objects.create(
        name="erp-db", db_type="sqlserver", host=own.host, port=own.port, tls_mode="off",
        credential=login,
    )  # fmt: skip
    for _twice in range(2):
        result = sync_databases(instance, SyncType.MANUAL_SINGLE)
        assert result["success"], result["message"]
    sales = InstanceDatabase.objects.get(database_name="sales")
    assert (sales.size_bytes, sales.free_bytes) == (1280 * PAGE, 64 * PAGE)
    assert sales.limit_bytes == 5000 * PAGE
    assert InstanceDatabase.objects.get(database_name="legacy").free_bytes is None
    total = InstanceSizeStat.objects.get()
    days = DatabaseSizeStat.objects.values_list("size_bytes", flat=True)
    assert total.size_bytes == sum(size for size in days if size is not None)
    assert total.database_count == len(days) == result["counts"]["synced"]
    outlook = InstanceOutlook.objects.get()
    assert instance.volumes.count() == 2
    assert (outlook.limit_bytes, outlook.limit_source) == (total.size_bytes + 100 * 2**30, "volume")


@pytest.mark.django_db(transaction=True)
def test_a_sync_with_too_few_rights_keeps_what_is_known_with_the_reason(own):
    own.backend.server.grant("VIEW SERVER STATE", "lazy")
    login = Credential.objects.create(name="lazy", username="lazy", password="lazy")
    instance = Instance.objects.create(
        name="erp-db", db_type="sqlserver", host=own.host, port=own.port, tls_mode="off",
        credential=login,
    )  # fmt: skip
    result = sync_databases(instance, SyncType.MANUAL_SINGLE)
    sales = InstanceDatabase.objects.get(database_name="sales")
    assert result["success"]
    assert (sales.size_bytes, sales.reason) == (
        None, "lazy has no VIEW ANY DEFINITION: the files of databases are hidden",
    )  # fmt: skip
    assert InstanceSizeStat.objects.get().size_bytes is None
    assert (
        result["details"]["sections"]["sizes"]["remedy"] == "GRANT VIEW ANY DEFINITION TO [lazy];"
    )
