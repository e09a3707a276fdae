"""Real servers measured through the runner: what is stored agrees with what they say themselves."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
    InstanceSizeStat,
)
from sync import locks, measuring
from sync.keeper import InstanceBusy
from sync.models import SyncCategory, SyncSession, SyncType
from sync.runner import run_record, sync_accounts, sync_databases
from tests.servers.base import Unavailable
from tests.servers.mariadb import MariaDBServer
from tests.servers.mysql import MySQLServer
from tests.servers.postgresql import PostgreSQL18
from tests.sync import cast
from whalefall.engines.errors import ConnectError

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def started(server):
    try:
        server.start()
    except Unavailable as exc:
        server.stop()
        if os.environ.get("CI") == "true":
            pytest.fail(str(exc))
        pytest.skip(str(exc))
    return server


@contextmanager
def ended(server):
    """Stopped whatever happens, also while it is being filled."""
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def mariadb():
    with ended(started(MariaDBServer())) as server:
        yield filled(server)


@pytest.fixture(scope="module")
def mysql():
    with ended(started(MySQLServer())) as server:
        yield filled(server)


def filled(server):
    digits = " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10))
    numbers = f"({digits}) a, ({digits}) b, ({digits}) c, (SELECT 0 d UNION SELECT 1) e"
    server.execute(
        "CREATE DATABASE sales",
        "CREATE DATABASE bare",
        "CREATE TABLE sales.orders (id int PRIMARY KEY, note varchar(200), KEY (note))",
        "INSERT INTO sales.orders SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d,"
        f" REPEAT('x', 100) FROM {numbers}",
        "CREATE TABLE sales.parts (id int PRIMARY KEY)",
        "ANALYZE TABLE sales.orders, sales.parts",
    )
    return server


@pytest.fixture(scope="module")
def postgresql():
    with ended(started(PostgreSQL18(settings={"autovacuum": "off"}))) as server:
        server.run("CREATE DATABASE sales")
        server.run(
            "CREATE TABLE orders AS SELECT n AS id, repeat('x', 100) AS note"
            " FROM generate_series(1, 3000) n; CREATE INDEX ON orders (id); ANALYZE orders",
            "sales",
        )
        server.run("CREATE DATABASE closed ALLOW_CONNECTIONS false")
        server.run("CHECKPOINT")  # what is still in memory has no size
        yield server


@pytest.fixture
def maria(mariadb):
    return cast.on("orders-db", mariadb)


@pytest.fixture
def crm(mysql):
    return cast.on("crm-db", mysql)


@pytest.fixture
def postgres(postgresql):
    return cast.on("stock-db", postgresql, db_type="postgresql")


def measured(instance):
    result = sync_databases(instance, SyncType.MANUAL_SINGLE)
    assert result["success"], result["message"]
    return result


def sizes():
    return dict(DatabaseSizeStat.objects.values_list("database__database_name", "size_bytes"))


OF_MYSQL = [("maria", "mariadb"), ("crm", "mysql")]


@pytest.mark.parametrize(("which", "server"), OF_MYSQL)
def test_a_database_of_mariadb_and_mysql_is_as_large_as_its_files(which, server, request):
    """To the byte."""
    measured(request.getfixturevalue(which))
    files = (request.getfixturevalue(server).data / "sales").glob("*.ibd")
    assert sizes()["sales"] == sum(file.stat().st_size for file in files) > 300_000
    assert sizes()["bare"] == 0


@pytest.mark.parametrize(("which", "server"), OF_MYSQL)
def test_indexes_and_free_space_are_what_the_server_says_of_its_tables(which, server, request):
    measured(request.getfixturevalue(which))
    rows = request.getfixturevalue(server).execute(
        "SELECT SUM(INDEX_LENGTH), SUM(DATA_FREE) FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = 'sales'"
    )
    sales = InstanceDatabase.objects.get(database_name="sales")
    assert (sales.index_bytes, sales.free_bytes) == tuple(map(int, rows[0]))
    assert 0 < sales.index_bytes + sales.free_bytes < sales.size_bytes
    day = DatabaseSizeStat.objects.get(database=sales)
    assert (day.index_bytes, day.free_bytes) == (sales.index_bytes, sales.free_bytes)


def test_postgresql_sizes_are_those_of_pg_database_size(postgres, postgresql, settings):
    # The first connection to a database makes PostgreSQL write its catalog's cache there.
    settings.TABLE_SIZES_OF_LARGEST = 0
    measured(postgres)
    with postgresql.connect() as opened:
        rows = opened.execute("SELECT datname, pg_database_size(oid) FROM pg_database").fetchall()
    assert sizes() == dict(rows)


@pytest.mark.parametrize(("which", "server"), OF_MYSQL)
def test_a_size_is_what_the_servers_statistics_say_and_little_more(which, server, request):
    """The files hold headers and pages of the tree beside data, indexes and free extents."""
    measured(request.getfixturevalue(which))
    ((said,),) = request.getfixturevalue(server).execute(
        "SELECT SUM(DATA_LENGTH + INDEX_LENGTH + DATA_FREE) FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = 'sales'"
    )
    assert 0 <= sizes()["sales"] - int(said) <= 2 * 2**20 // 10


@pytest.mark.parametrize("which", ["maria", "crm", "postgres"])
def test_the_total_and_the_day_are_the_sum_of_the_databases(which, request):
    instance = request.getfixturevalue(which)
    result = measured(instance)
    total = InstanceSizeStat.objects.get()
    assert total.size_bytes == sum(sizes().values()) == result["details"]["total_bytes"]
    assert total.measured_count == total.database_count == result["counts"]["measured"]
    assert InstanceSizeAggregation.objects.get().last_bytes == total.size_bytes
    days = DatabaseSizeAggregation.objects.values_list("database__database_name", "last_bytes")
    assert dict(days) == sizes()


def test_mariadb_the_tables_of_the_largest_are_as_large_as_their_files(maria, mariadb, settings):
    settings.TABLE_SIZES_OF_LARGEST = 10
    measured(maria)
    tables = DatabaseTableSizeStat.objects.filter(database__database_name="sales")
    found = {table.table_name: table.data_bytes + table.index_bytes for table in tables}
    files = (mariadb.data / "sales").glob("*.ibd")
    assert found == {file.stem: file.stat().st_size for file in files}


def test_postgresql_the_tables_are_as_large_as_the_server_says(postgres, postgresql, settings):
    settings.TABLE_SIZES_OF_LARGEST = 10
    measured(postgres)
    table = DatabaseTableSizeStat.objects.get(database__database_name="sales")
    with postgresql.connect("sales") as opened:
        (size,) = opened.execute("SELECT pg_total_relation_size('orders')").fetchone()
    assert (table.schema_name, table.table_name, table.row_estimate) == ("public", "orders", 3000)
    assert table.data_bytes + table.index_bytes == size
    closed = InstanceDatabase.objects.get(database_name="closed")
    assert "closed" in closed.tables_reason


def test_a_database_with_too_many_tables_is_left_out_with_the_reason(maria, settings):
    settings.TABLE_SIZES_OF_LARGEST, settings.TABLE_SIZES_MOST = 10, 1
    details = measured(maria)["details"]
    assert details["tables_not_read"]["sales"] == "It has more than 1 tables."
    sales = InstanceDatabase.objects.get(database_name="sales")
    assert (sales.tables_reason, sales.tables_measured_at) == ("It has more than 1 tables.", None)
    assert not DatabaseTableSizeStat.objects.filter(database=sales).exists()


def test_a_database_dropped_between_two_readings_is_gone(maria, mariadb):
    mariadb.execute("CREATE DATABASE short_lived")
    measured(maria)
    mariadb.execute("DROP DATABASE short_lived")
    assert measured(maria)["counts"]["deleted"] == 1
    assert not InstanceDatabase.objects.get(database_name="short_lived").is_active


def test_a_database_dropped_before_its_tables_are_read_has_the_reason(postgres, postgresql):
    measured(postgres)
    lost = InstanceDatabase.objects.create(
        instance=postgres,
        database_name="lost",
        first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )
    assert "does not exist" in measuring.refresh_tables(lost).reason


def test_a_login_that_may_not_measure_leaves_null_with_the_reason(maria, mariadb):
    measured(maria)
    mariadb.execute(
        "CREATE USER weak@'%' IDENTIFIED BY 'w'", "GRANT SHOW DATABASES ON *.* TO weak@'%'"
    )
    maria.credential = cast.credential("weak", username="weak", password="w")
    maria.save()
    DatabaseSizeStat.objects.update(collected_date=timezone.localdate() - timedelta(days=1))
    result = measured(maria)
    mariadb.execute("DROP USER weak@'%'")
    today = DatabaseSizeStat.objects.filter(collected_date=timezone.localdate())
    assert {row.size_bytes for row in today} == {None}
    assert today.first().reason.startswith("weak@% has no SHOW VIEW on *.*")
    assert (
        result["details"]["sections"]["sizes"]["remedy"] == "GRANT SHOW VIEW ON *.* TO 'weak'@'%';"
    )
    assert InstanceDatabase.objects.get(database_name="sales").size_bytes > 0


def test_a_role_that_may_not_measure_one_database_measures_the_others(postgres, postgresql):
    postgresql.run(
        "REVOKE CONNECT ON DATABASE sales FROM PUBLIC; CREATE ROLE poor LOGIN PASSWORD 'p'"
    )
    postgres.credential = cast.credential("poor", username="poor", password="p")
    postgres.save()
    measured(postgres)
    postgresql.run("DROP ROLE poor; GRANT CONNECT ON DATABASE sales TO PUBLIC")
    total = InstanceSizeStat.objects.get()
    assert sizes()["sales"] is None
    assert total.measured_count == total.database_count - 1
    assert total.reason == "needs CONNECT on the database, or pg_read_all_stats"


def test_the_tables_of_one_database_are_read_on_demand(maria, settings):
    settings.TABLE_SIZES_OF_LARGEST = 0
    measured(maria)
    assert not DatabaseTableSizeStat.objects.exists()
    measuring.refresh_tables(InstanceDatabase.objects.get(database_name="sales"))
    assert DatabaseTableSizeStat.objects.count() == 2


def test_accounts_and_sizes_of_one_instance_may_be_read_side_by_side(maria):
    with locks.held(locks.CAPACITY, maria.pk):
        assert sync_accounts(maria, SyncType.MANUAL_SINGLE)["success"]


def test_two_measurings_of_one_instance_may_not(maria):
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [locks.CAPACITY, maria.pk])
        result = sync_databases(maria, SyncType.MANUAL_SINGLE)
        with pytest.raises(InstanceBusy):
            measuring.refresh_tables(InstanceDatabase(instance=maria, database_name="sales"))
    other.close()
    assert result["message"] == "Another sync of orders-db is running: wait for it to end."


def test_a_session_of_both_engines_ends_with_what_each_brought(maria, postgres):
    session = SyncSession.objects.start(
        SyncType.SCHEDULED_TASK,
        [maria, postgres],
        sync_category=SyncCategory.CAPACITY,
        enqueue=False,
    )
    for record in session.records.all():
        assert run_record(record.pk)["success"] is True
    session.refresh_from_db()
    assert session.status == "completed"
    assert {record.items_synced > 0 for record in session.records.all()} == {True}
    assert InstanceSizeStat.objects.count() == 2


def test_a_server_that_is_away_fails_its_record_and_no_day_is_made_up(maria):
    maria.port = 1
    maria.save()
    session = SyncSession.objects.start(
        SyncType.SCHEDULED_TASK, [maria], sync_category=SyncCategory.CAPACITY, enqueue=False
    )
    assert run_record(session.records.get().pk)["success"] is False
    assert session.records.get().status == "failed"
    assert not InstanceSizeStat.objects.exists()
    with pytest.raises(ConnectError):
        measuring.refresh_tables(InstanceDatabase(instance=maria, database_name="sales"))


def test_a_session_of_accounts_does_not_measure(maria):
    session = cast.session("orders-db")
    result = sync_databases(maria, SyncType.SCHEDULED_TASK, session.session_id)
    assert result["message"] == f"There is no session {session.session_id}."


class DroppedMeanwhile:
    """The server's connection; `victim` is dropped after the first statement that measures."""

    def __init__(self, connection, drop):
        self.connection, self.drop = connection, drop

    def rows(self, text, *values):
        found = list(self.connection.rows(text, *values))
        if "DATA_LENGTH" in text:
            self.drop()
        return found

    def __getattr__(self, name):
        return getattr(self.connection, name)


def test_a_mariadb_database_dropped_in_the_middle_is_gone_and_not_of_size_zero(maria, mariadb):
    mariadb.execute("CREATE DATABASE short_lived", "CREATE TABLE short_lived.t (id int)")
    with measuring.opened(maria) as server:
        server.connection = DroppedMeanwhile(
            server.connection, lambda: mariadb.execute("DROP DATABASE short_lived")
        )
        found = {each.name: each.data_bytes for each in server.observe_databases()}
    assert "short_lived" not in found
    assert found["sales"] > 0


MANY = int(os.environ.get("WHALEFALL_TEST_DATABASES", "40"))


def test_databases_of_postgresql_cost_nothing_but_those_whose_tables_are_read(
    postgres, postgresql, settings
):
    """40 unless the environment asks for more: making one takes a tenth of a second."""
    settings.TABLE_SIZES_OF_LARGEST = 2
    counted = {}
    for size in (2, MANY):
        for number in range(size):
            postgresql.run(f"DROP DATABASE IF EXISTS many_{number}")
            postgresql.run(f"CREATE DATABASE many_{number} TEMPLATE template0")
        with measuring.opened(postgres) as server:
            assert len(list(server.observe_databases())) >= size
            sizes = server.statements
        with measuring.opened(postgres) as server:
            measuring.read_tables(server, "sales")
            tables = server.statements
        with CaptureQueriesContext(connection) as queries:
            measured(postgres)
        counted[size] = (sizes, tables, len(queries))
    for number in range(MANY):
        postgresql.run(f"DROP DATABASE many_{number}")
    assert counted[2] == counted[MANY]
    assert sizes <= 4
    assert tables <= 8
    print(f"postgresql: {MANY} databases, {counted[MANY]} statements")


@pytest.mark.parametrize(("which", "server", "many"), [(*OF_MYSQL[0], 500), (*OF_MYSQL[1], MANY)])
def test_many_databases_cost_no_more_statements_than_five(which, server, many, request, settings):
    settings.TABLE_SIZES_OF_LARGEST = 0
    instance, filled_server = map(request.getfixturevalue, (which, server))
    counted = {}
    for size in (5, many):
        filled_server.execute(
            *(f"CREATE DATABASE IF NOT EXISTS many_{number}" for number in range(size))
        )
        with measuring.opened(instance) as opened:
            assert len(list(opened.observe_databases())) >= size
            remote = opened.statements
        with CaptureQueriesContext(connection) as queries:
            measured(instance)
        counted[size] = (remote, len(queries))
    filled_server.execute(*(f"DROP DATABASE many_{number}" for number in range(many)))
    assert counted[5] == counted[many]
    print(f"{server}: {many} databases, {counted[many]} statements")
