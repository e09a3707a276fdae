"""The replica answers a product's own SQL, keeps its types, and says what it does not have."""

from __future__ import annotations

import pytest
from sqlglot import exp

from tests.fakes.replica import NoSuchTable, Replica


class TwoPart(Replica):
    """A product whose tables go by schema and name."""

    dialect = "tsql"
    types = {"datetime2": "datetime"}

    def located(self, table: exp.Table) -> str:
        name = f"{table.db}.{table.name}"
        if not self.has(name):
            raise NoSuchTable(name)
        return name


@pytest.fixture
def replica():
    made = TwoPart()
    made.table("sys.dogs", {"name": "nvarchar", "is_good": "bit", "born": "datetime"})
    made.fill("sys.dogs", [("it's ]\"🐕", True, "2020-01-02 03:04:05"), ("rex", False, None)])
    made.function("AGE", lambda born: 5 if born else None, "int")
    return made


def test_it_runs_the_products_own_words(replica):
    (found,) = replica.run("SELECT TOP 1 [name], ISNULL(born, N'x') AS b FROM sys.dogs ORDER BY 1")
    assert found.rows == [("it's ]\"🐕", "2020-01-02 03:04:05")]


def test_columns_keep_the_products_types(replica):
    asked = (
        "SELECT d.is_good, CAST(d.born AS datetime2(0)), AGE(d.born), d.name AS x FROM sys.dogs d"
    )
    (found,) = replica.run(asked)
    assert found.types == ["bit", "datetime", "int", "nvarchar"]
    assert found.rows[0][1] == "2020-01-02 03:04:05"


def test_a_union_has_the_types_of_its_first_part(replica):
    asked = "SELECT is_good FROM sys.dogs UNION ALL SELECT CAST(1 AS int)"
    (found,) = replica.run(asked)
    assert found.types == ["bit"]
    assert len(found.rows) == 3


def test_a_batch_has_a_result_per_statement(replica):
    found = list(
        replica.run("SELECT 1 AS a; SELECT name FROM sys.dogs WHERE name = @P1", {"P1": "rex"})
    )
    assert [each.rows for each in found] == [[(1,)], [("rex",)]]


def test_a_name_in_a_with_clause_is_no_table(replica):
    (found,) = replica.run("WITH good AS (SELECT name FROM sys.dogs) SELECT COUNT(*) FROM good")
    assert found.rows == [(2,)]


def test_a_table_that_is_not_there_is_named(replica):
    with pytest.raises(NoSuchTable, match=r"sys\.cats"):
        list(replica.run("SELECT name FROM sys.cats"))


def test_collations_and_national_strings_are_taken(replica):
    (found,) = replica.run(
        "SELECT name COLLATE Latin1_General_BIN2 FROM sys.dogs WHERE name = N'rex'"
    )
    assert found.rows == [("rex",)]
