"""The MySQL and MariaDB engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whalefall.engines.base import Engine, Server, Target
from whalefall.engines.mysql.connection import connect
from whalefall.engines.mysql.names import quoted, split_account
from whalefall.engines.mysql.rules import MySQLRules
from whalefall.engines.mysql.server import MySQLServer
from whalefall.engines.mysql.session import server_number
from whalefall.engines.queries import load

FAMILIES = {
    "MySQL 8.0 and later": 80000,
    "MySQL 5.6 and 5.7": 50700,
    "MariaDB 10.4 and later": 100400,
    "MariaDB 10.3": 100300,
}


class MySQLEngine(Engine):
    """MySQL 5.6 to 9.x, Percona Server, and MariaDB 10.3 and later."""

    db_type = "mysql"
    label = "MySQL / MariaDB"
    default_port = 3306
    rules = MySQLRules()
    folder = Path(__file__).parent

    @contextmanager
    def connect(self, target: Target) -> Iterator[Server]:
        connection = connect(target)
        try:
            server = MySQLServer(target, connection)
            server.open()
            yield server
        finally:
            connection.close()

    def collector_grants(self, login: str = "whalefall", version: str = "") -> str:
        """One script for `version` as the server spells it; without it one for each family."""
        if version:
            return self._script(login, server_number(version))
        return "\n\n".join(
            f"-- {title}: run this part only.\n{self._script(login, number)}"
            for title, number in FAMILIES.items()
        )

    def _script(self, login: str, number: int) -> str:
        user, host = split_account(login)
        account = f"{quoted(user)}@{quoted(host or '%')}"
        script = load(self.folder / "sql" / "collector_grants.sql", number)
        return script.replace("{account}", account) + ";\n"


ENGINE = MySQLEngine()
