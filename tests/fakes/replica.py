"""A catalog in SQLite that answers an engine's own SQL text, transpiled by sqlglot.

A product's replica is a subclass: it says where a table of the product is kept (`located`), adds
the product's functions, and rewrites what sqlglot does not know (`rewritten`). Result columns keep
the product's types, so that a wire server can send them as the product would: SQLite alone knows
no bit and no date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel

Row = tuple[Any, ...]


class Result(NamedTuple):
    """One result set. `types`: the product's type per column, None where only the values tell."""

    columns: list[str]
    types: list[str | None]
    rows: list[Row]


class Translated(NamedTuple):
    """A statement as SQLite runs it, and the types of its columns."""

    sql: str
    types: tuple[str | None, ...]


class NoSuchTable(Exception):
    """The statement names a table or view that the replica does not have: `args[0]` is its name."""


class Replica:
    """Tables by name, functions, and the statements that are run on them.

    Names of tables and columns do not tell upper from lower case. Not for several threads at once.
    """

    dialect: ClassVar[str]
    """sqlglot's name for the product's SQL."""

    types: ClassVar[Mapping[str, str]] = {}
    """What a CAST's type (as sqlglot writes it, lower case, without length) is called on the
    wire, where that is another word."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.connection.create_collation("EXACT", lambda a, b: (a > b) - (a < b))
        self.columns: dict[str, str] = {}
        self.function_types: dict[str, str] = {}
        self._translated: dict[int, tuple[exp.Expression, Translated]] = {}

    # Filling it

    def table(self, name: str, columns: Mapping[str, str], rows: Iterable[Row] = ()) -> None:
        """Create a table with the product's column types, and fill it. Values are bound as given:
        str, int, bool, bytes, float, None, or a date as text in ISO 8601."""
        names = ", ".join(map(quoted, columns))
        self.connection.execute(f"CREATE TABLE {quoted(name)} ({names})")
        for column, type_ in columns.items():  # where tables differ, who came first has the word
            self.columns.setdefault(column.lower(), type_)
        self.fill(name, rows)

    def fill(self, name: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({places})", rows)

    def clear(self, name: str) -> None:
        self.connection.execute(f"DELETE FROM {quoted(name)}")

    def view(self, name: str, sql: str) -> None:
        """A view in SQLite's own words."""
        self.connection.execute(f"CREATE VIEW {quoted(name)} AS {sql}")

    def has(self, name: str) -> bool:
        asked = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) = ?"
        return self.connection.execute(asked, (name.lower(),)).fetchone() is not None

    def function(
        self, name: str, answer: Callable[..., Any], type_: str | None = None, arguments: int = -1
    ) -> None:
        """A function of the product, answered by Python; `type_` is what it returns."""
        self.connection.create_function(name, arguments, answer)
        if type_:
            self.function_types[name.lower()] = type_

    # What a product answers for itself

    def located(self, table: exp.Table) -> str:
        """The name under which this table is kept. Raise NoSuchTable where there is none."""
        if not self.has(table.name):
            raise NoSuchTable(table.sql(dialect=self.dialect))
        return table.name

    def rewritten(self, tree: exp.Expression) -> exp.Expression:
        """The statement with what sqlglot does not translate put into SQLite's words."""
        return tree

    # Running statements

    def run(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> Iterator[Result]:
        """The result sets of a batch in the product's SQL, one per statement, as they are asked
        for. Raises NoSuchTable, sqlglot's ParseError, sqlite3.Error."""
        for sql_one in self.statements(sql):
            yield self.run_one(sql_one, parameters)

    def statements(self, sql: str) -> tuple[exp.Expression, ...]:
        """The statements of a batch, parsed. They are shared: not to be changed."""
        return _parsed(sql, self.dialect)

    def run_one(
        self, tree: exp.Expression, parameters: Mapping[str, Any] | Sequence[Any] = ()
    ) -> Result:
        if id(tree) not in self._translated:  # kept together, so that no other gets its id
            self._translated[id(tree)] = (tree, self._translate(tree.copy()))
        translated = self._translated[id(tree)][1]
        cursor = self.connection.execute(translated.sql, parameters)
        columns = [column[0] for column in cursor.description or ()]
        types = list(translated.types) or [None] * len(columns)
        return Result(columns, types, cursor.fetchall())

    def _translate(self, tree: exp.Expression) -> Translated:
        types = tuple(self._types(tree))
        names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table.db or table.name.lower() not in names:
                kept = exp.Table(this=exp.to_identifier(self.located(table), quoted=True))
                kept.set("alias", table.args.get("alias") or _alias(table))
                table.replace(kept)
        tree = self.rewritten(_plain(tree))
        return Translated(tree.sql("sqlite", unsupported_level=ErrorLevel.RAISE), types)

    def _types(self, tree: exp.Expression) -> Iterator[str | None]:
        """The type of each column; of a UNION, what its first SELECT says."""
        if not isinstance(tree, exp.Query):
            return
        aliases = {
            alias.alias.lower(): alias.this for alias in tree.find_all(exp.Alias) if alias.alias
        }
        for column in tree.selects:
            yield self.type_of(column, aliases)

    def type_of(
        self, value: Any, aliases: Mapping[str, exp.Expression], depth: int = 0
    ) -> str | None:
        """The product's type of an expression, None where nothing says it."""
        if value is None or depth > 20:
            return None
        if isinstance(value, exp.Column):
            known = self.columns.get(value.name.lower())
            return known or self.type_of(aliases.get(value.name.lower()), aliases, depth + 1)
        if isinstance(value, exp.Cast):
            word = value.to.sql(dialect=self.dialect).partition("(")[0].lower()
            return self.types.get(word, word)
        if isinstance(value, exp.Anonymous):
            return self.function_types.get(value.name.lower())
        if isinstance(value, exp.Case):
            choices = [branch.args["true"] for branch in value.args["ifs"]]
            choices.append(value.args.get("default"))
            found = (self.type_of(choice, aliases, depth + 1) for choice in choices)
            return next((type_ for type_ in found if type_), None)
        if isinstance(
            value, exp.Alias | exp.Paren | exp.Collate | exp.Coalesce | exp.Max | exp.Min
        ):
            return self.type_of(value.this, aliases, depth + 1)
        return None


@lru_cache(maxsize=200)
def _parsed(sql: str, dialect: str) -> tuple[Any, ...]:
    return tuple(tree for tree in sqlglot.parse(sql, dialect=dialect) if tree is not None)


def quoted(name: str) -> str:
    """A name as SQLite reads it."""
    return '"' + name.replace('"', '""') + '"'


def _alias(table: exp.Table) -> exp.TableAlias:
    """A table without an alias goes by its last name."""
    return exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))


def _plain(tree: exp.Expression) -> exp.Expression:
    """Collations, national strings and casts of dates mean nothing here: dates are ISO text.

    From the inside out: what is taken out may hold more of it.
    """
    found: list[Any] = list(tree.find_all(exp.Collate, exp.National, exp.Cast))
    for node in reversed(found):
        if isinstance(node, exp.National):
            node.replace(exp.Literal.string(node.name))
        elif isinstance(node, exp.Collate) or node.to.is_type(*exp.DataType.TEMPORAL_TYPES):
            node.replace(node.this)
    return tree
