"""Facts of small instances, built as statements of intent and mapped without a wire."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from accounts.facts import Facts
from tests.fakes.tds.backend import SqlServerReplica
from tests.fakes.tds.catalog import SqlServerCatalog
from tests.fakes.tds.server import Session
from whalefall.engines import engine
from whalefall.engines.base import Target
from whalefall.engines.observed import Observation
from whalefall.engines.sqlserver.engine import SqlServer

RULES = engine("sqlserver").rules


class Unwired:
    """What a connection offers, straight from the replica: the engine's SQL without the driver."""

    def __init__(self, server: SqlServerCatalog, login: str) -> None:
        self.replica = SqlServerReplica(server, Session(login, "master"))
        self.statements = 0

    def sets(self, sql):
        self.statements += 1
        for number, found in enumerate(self.replica.run(sql)):
            for row in found.rows:
                yield (
                    number,
                    {
                        name: self._value(value, type_)
                        for name, value, type_ in zip(found.columns, row, found.types, strict=True)
                    },
                )

    def records(self, sql):
        for _, record in self.sets(sql):
            yield record

    def record(self, sql):
        (found,) = self.records(sql)
        return found

    @staticmethod
    def _value(value, type_):
        return datetime.fromisoformat(value) if value and type_ == "datetime" else value


def observed(server: SqlServerCatalog, login: str) -> Observation:
    target = Target("h", 1433, login, "x", database="master")
    opened = SqlServer(target, Unwired(server, login))  # type: ignore[arg-type]
    opened.open()
    return opened.observe()


class Judged:
    """Capability -> why, per account of one instance."""

    def __init__(self, server: SqlServerCatalog, login: str = "sa") -> None:
        self.observation = observed(server, login)
        self.facts = Facts(self.observation, RULES)

    @cache  # noqa: B019  # lives as long as a test
    def of(self, name: str) -> dict[str, str]:
        found = self.facts.of(self.observation.accounts[name]).facts
        return {key: why["because"] for key, why in found["capability_reasons"].items()}

    def who(self, capability: str) -> set[str]:
        shown = [n for n in self.observation.accounts if not n.endswith(("@master", "@msdb"))]
        return {name for name in shown if capability in self.of(name)}
