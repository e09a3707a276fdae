"""The MySQL and MariaDB engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whalefall.engines.base import Engine, Server, Target
from whalefall.engines.mysql.connection import connect
from whalefall.engines.mysql.rules import MySQLRules
from whalefall.engines.mysql.server import MySQLServer


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
        raise NotImplementedError


ENGINE = MySQLEngine()
