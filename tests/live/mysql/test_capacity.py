"""Sizes of databases and tables, against the files on the disk."""

from __future__ import annotations

import pytest

from tests.live.mysql.conftest import on
from tests.servers.mariadb import identifier
from whalefall.engines import engine

pytestmark = pytest.mark.live


def sizes(server, **login) -> dict[str, object]:
    with engine("mysql").connect(server.target(**login)) as opened:
        found = {database.name: database for database in opened.observe_databases()}
        return found | {"sections": opened.sections}


def fill(server, database: str, table: str, options: str = "") -> None:
    name = f"{identifier(database)}.{identifier(table)}"
    server.execute(
        f"CREATE TABLE {name} (id int PRIMARY KEY, text varchar(200), KEY (text)) {options}",
        f"INSERT INTO {name} SELECT n, REPEAT(CHAR(97 + n % 26), 100) FROM (SELECT a.x + 10 * b.x "
        "+ 100 * c.x AS n FROM (SELECT 0 x UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION "
        "SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a, "
        "(SELECT 0 x UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 "
        "UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b, (SELECT 0 x UNION SELECT "
        "1 UNION SELECT 2) c) numbers",
        f"ANALYZE TABLE {name}",
    )


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
@pytest.mark.parametrize("database", ["sales", "we ird-é%"])
def test_a_database_is_as_large_as_its_files(server, database):
    server.execute(f"CREATE DATABASE {identifier(database)}")
    fill(server, database, "orders")
    fill(server, database, "te#p#il é", "PARTITION BY HASH(id) PARTITIONS 3")

    measured = sizes(server)[database]

    on_disk = sum(
        file.stat().st_size
        for folder in server.data.iterdir()
        if folder.is_dir() and folder.name.startswith(("sales", "we@0020ird"))
        for file in folder.glob("*.ibd")
    )
    assert on_disk > 0
    assert (measured.data_bytes, measured.details["method"]) == (on_disk, "files")


@pytest.mark.parametrize("server", on("mysql56"), indirect=True)
def test_before_files_are_told_a_size_is_that_of_the_statistics_near_the_files(server):
    """MySQL 5.6: at most a tenth of a mebibyte a table less, which is headers and spare pages."""
    server.execute("CREATE DATABASE sales")
    fill(server, "sales", "orders")

    measured = sizes(server)["sales"]

    (file,) = (server.data / "sales").glob("*.ibd")
    assert 0 <= file.stat().st_size - measured.data_bytes <= 2**20 // 10
    assert measured.details["method"] == "statistics"


def test_tables_that_are_not_innodb_count_with_data_and_index(server):
    server.execute("CREATE DATABASE sales")
    fill(server, "sales", "orders", "ENGINE=MyISAM")

    measured = sizes(server)["sales"]

    files = [*(server.data / "sales").glob("orders.MY?")]
    assert measured.data_bytes == sum(file.stat().st_size for file in files)


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
def test_tables_add_up_to_their_files(server):
    server.execute("CREATE DATABASE sales")
    fill(server, "sales", "orders")
    fill(server, "sales", "parts", "PARTITION BY HASH(id) PARTITIONS 3")

    with engine("mysql").connect(server.target()) as opened:
        tables = {table.name: table for table in opened.observe_tables("sales")}

    assert set(tables) == {"orders", "parts"}
    for name, table in tables.items():
        files = [*(server.data / "sales").glob(f"{name}*.ibd")]
        assert table.data_bytes + table.index_bytes == sum(f.stat().st_size for f in files)
        assert table.index_bytes > 0
        assert 200 <= table.rows <= 400


def test_sizes_that_may_not_be_seen_are_none_with_the_reason(server):
    server.execute(
        "CREATE DATABASE sales",
        "CREATE USER nobody IDENTIFIED BY 'Se-cret1'",
        "GRANT SHOW DATABASES ON *.* TO nobody",
    )

    found = sizes(server, username="nobody", password="Se-cret1")

    assert found["sales"].data_bytes is None
    assert found["sales"].reason == (
        "nobody@% has no SHOW VIEW on *.*: what it may not see is missing."
    )
    assert found["sections"]["sizes"].remedy == "GRANT SHOW VIEW ON *.* TO 'nobody'@'%';"


@pytest.mark.parametrize("server", on("mysql56"), indirect=True)
def test_sizes_are_not_asked_for_where_that_would_analyse_every_table(server):
    server.execute("CREATE DATABASE sales", "SET GLOBAL innodb_stats_on_metadata = ON")
    try:
        found = sizes(server)
    finally:
        server.execute("SET GLOBAL innodb_stats_on_metadata = OFF")

    assert found["sales"].data_bytes is None
    assert "innodb_stats_on_metadata" in found["sales"].reason
    assert found["sections"]["sizes"].status == "failed"


def test_views_are_no_tables(server):
    server.execute(
        "CREATE DATABASE sales", "CREATE TABLE sales.t (id int)", "CREATE VIEW sales.v AS SELECT 1"
    )

    with engine("mysql").connect(server.target()) as opened:
        assert [table.name for table in opened.observe_tables("sales")] == ["t"]
