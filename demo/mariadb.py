"""The watched MariaDB; apart from `servers`, because its driver may be missing on a machine."""

from __future__ import annotations

from pathlib import Path

import MySQLdb

from demo.servers import Scripted, keep, remember_port, statements
from tests.servers.mariadb import MariaDBServer


class WatchedMariaDB(Scripted, MariaDBServer):
    instance = "shop-db"
    db_type = "mysql"
    product = "MariaDB"
    sql = "mariadb"
    tls = "require"
    collector = "whalefall@127.0.0.1"
    database = ""
    simulated = False
    table = "shop.payments"
    admin_username = "demo_admin"
    # Run once, when the data folder is made. The administrator may grant what root may, and the
    # roots without a password that the installation makes go.
    init_statements: tuple[str, ...] = (
        "CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY '{password}';",
        "GRANT ALL ON *.* TO '{user}'@'127.0.0.1' WITH GRANT OPTION;",
        "REPLACE INTO mysql.proxies_priv"
        " VALUES ('127.0.0.1', '{user}', '', '', 1, '', CURRENT_TIMESTAMP);",
        "DELETE FROM mysql.proxies_priv WHERE User = 'root' AND Host <> 'localhost';",
        "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';",
        "ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket;",
        "FLUSH PRIVILEGES;",
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        keep(self)

    def start(self) -> None:
        """Also remembers the port, so that the registered instance stays true."""
        if self.data.exists():
            self.init_statements = ()
        super().start()
        remember_port(self)

    def run_sql(self, text: str) -> None:
        """Run a script as the administrator."""
        for statement in statements(text):
            try:
                self.execute(statement)
            except MySQLdb.Error as exc:
                shown = statement.partition(" IDENTIFIED BY ")[0]  # never a password
                raise RuntimeError(f"{self.product} refused: {shown}: {exc}") from exc

    def version(self) -> str:
        return str(self.execute("SELECT VERSION()")[0][0])

    def create_collector(self, grants: str, password: str) -> None:
        """Run what `collector_grants` printed, with a password in the place it leaves for it."""
        lines = [line for line in grants.splitlines() if not line.lstrip().startswith("--")]
        self.run_sql("\n".join(lines).replace("'<password>'", f"'{password}'"))
