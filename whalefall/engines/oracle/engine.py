"""The Oracle engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whalefall.engines.base import Engine, Server, Target
from whalefall.engines.oracle.connection import Connection
from whalefall.engines.oracle.names import NEWEST, quoted, version_number
from whalefall.engines.oracle.rules import OracleRules
from whalefall.engines.oracle.server import OracleServer
from whalefall.engines.queries import load


class OracleEngine(Engine):
    """Oracle Database 12.1 to 23ai; 11.2 where ORACLE_CLIENT_DIR names an Instant Client."""

    db_type = "oracle"
    label = "Oracle"
    default_port = 1521
    rules = OracleRules()
    folder = Path(__file__).parent

    @contextmanager
    def connect(self, target: Target) -> Iterator[Server]:
        connection = Connection(target)
        try:
            server = OracleServer(target, connection)
            server.open()
            yield server
        finally:
            connection.close()

    def collector_grants(self, login: str = "whalefall", version: str = "") -> str:
        """`version` as the server writes it (`19.3`, `11.2.0.4`); unknown counts as the newest."""
        number = version_number(version) if version else NEWEST
        script = load(self.folder / "sql" / "collector_grants.sql", number)
        return script.replace("{login}", quoted(login.upper())) + "\n"


ENGINE = OracleEngine()
