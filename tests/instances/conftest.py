"""The servers of the sync tests."""

from tests.sync.conftest import mariadb, orders_db, postgresql

__all__ = ["mariadb", "orders_db", "postgresql"]
