"""Django's PostgreSQL backend, with a server that is started when it does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError, connect, errors, sql

from whalefall.store import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """`OPTIONS["embedded_folder"]` is the data folder, `["embedded_durable"]` whether a crash of
    the machine may lose work; the socket follows from them.
    """

    def _start(self) -> str:
        options = self.settings_dict["OPTIONS"]
        return embedded.start(Path(options["embedded_folder"]), options["embedded_durable"])

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        folder = Path(params.pop("embedded_folder"))
        del params["embedded_durable"]
        params["host"] = embedded.socket_folder(folder) or self._start()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        try:
            return super().get_new_connection(conn_params)
        except OperationalError as exc:
            if _missing_database(exc):
                _create_database(conn_params)
            else:
                conn_params = {**conn_params, "host": self._start()}
                return self._connect_or_create(conn_params)
            return super().get_new_connection(conn_params)

    def _connect_or_create(self, conn_params: dict[str, Any]) -> Connection[Any]:
        try:
            return super().get_new_connection(conn_params)
        except OperationalError as exc:
            if not _missing_database(exc):
                raise
            _create_database(conn_params)
            return super().get_new_connection(conn_params)


def _missing_database(exc: OperationalError) -> bool:
    # During the start-up handshake the SQLSTATE does not reach the exception: only its text is
    # left.
    return isinstance(exc, errors.InvalidCatalogName) or "does not exist" in str(exc)


def _create_database(conn_params: dict[str, Any]) -> None:
    name = sql.Identifier(conn_params["dbname"])
    with connect(
        host=conn_params["host"], user=conn_params["user"], dbname="postgres", autocommit=True
    ) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            return  # another process was faster
