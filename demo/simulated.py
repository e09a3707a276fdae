"""The two servers of the demo that are simulated: SQL Server and Oracle, which cannot be had here.

Stand-ins that speak the products' protocols (tests/fakes), read through the real drivers. They live
in the demo's own process, and end with it; what they hold is made anew from the fleet's scripts.
"""

from __future__ import annotations

import ctypes
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from demo import erp
from demo.servers import Scripted, Watched, secret, statements

LIBRARIES = {
    "libltdl.so.7": "libltdl7", "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libkrb5.so.3": "libkrb5-3",
}  # fmt: skip
GRANT = re.compile(r"^GRANT (?P<privilege>.+?) TO \[.*\];", re.MULTILINE)


class Simulated:
    """What both have in common: no data, but a mark that they were filled, and the collector's
    password, which the registered instance knows from an earlier run.
    """

    host = "127.0.0.1"
    tls = "off"
    collector = "whalefall"
    database = ""
    simulated = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.server: Any = None
        folder.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        if self.server is not None:
            self.server.__exit__(None, None, None)
            self.server = None

    def keep(self, password: str) -> None:
        path = self.folder / "collector.password"
        path.unlink(missing_ok=True)
        secret(path, password)
        (self.folder / "data").mkdir(exist_ok=True)

    def kept(self) -> str:
        """The collector's password of the run that filled it; "" where there was none."""
        path = self.folder / "collector.password"
        return path.read_text() if path.exists() else ""


class SimulatedSqlServer(Simulated):
    instance = "erp-db"
    db_type = "sqlserver"
    product = "SQL Server 2019 (simulated)"
    sql = "sqlserver"
    table = "erp.finance.payments"

    def start(self) -> None:
        """Where it was filled before, it is as on the morning after."""
        from tests.fakes.tds.backend import SqlServerBackend
        from tests.fakes.tds.catalog import SqlServerCatalog
        from tests.fakes.tds.server import FakeSqlServer

        self.catalog = SqlServerCatalog(machine="ERPBOX")
        self.server = FakeSqlServer(SqlServerBackend(self.catalog))
        self.server.__enter__()
        self.port = self.server.port
        if self.kept() and (self.folder / "data").exists():
            self.fill()
            self._collector(self.kept())
            self.change()

    def fill(self) -> None:
        erp.fill(self.catalog)

    def change(self) -> None:
        erp.change(self.catalog)

    def version(self) -> str:
        return f"{self.catalog.major}.0"

    def create_collector(self, grants: str, password: str) -> None:
        self._collector(password, grants)
        self.keep(password)

    def _collector(self, password: str, grants: str = "") -> None:
        from whalefall.engines import engine

        text = grants or engine(self.db_type).collector_grants(self.collector, self.version())
        self.catalog.login(self.collector, password=password)
        for found in GRANT.finditer(text):
            self.catalog.grant(found["privilege"], self.collector)


class SimulatedOracle(Scripted, Simulated):
    instance = "payroll-db"
    db_type = "oracle"
    product = "Oracle 19c (simulated)"
    sql = "oracle"
    database = "payrollpdb"
    table = "PAYROLL.SALARIES"

    def start(self) -> None:
        from tests.fakes.oracle.server import FakeOracle

        self.server = FakeOracle("19.21.0.0.0", services=(self.database,))
        self.server.__enter__()
        self.port = self.server.net.port
        if self.kept() and (self.folder / "data").exists():
            self.fill()
            self._collector(self.kept())
            self.change()

    def run_sql(self, text: str) -> None:
        self.server.run(*statements(text))
        dictionary = self.server.changed()
        if "SCOTT" in dictionary.users:
            dictionary.users["SCOTT"].default_password = True

    def version(self) -> str:
        return str(self.server.full_version)

    def create_collector(self, grants: str, password: str) -> None:
        self._collector(password, grants)
        self.keep(password)

    def _collector(self, password: str, grants: str = "") -> None:
        from whalefall.engines import engine

        text = grants or engine(self.db_type).collector_grants(self.collector, self.version())
        self.server.script(text.replace("********", password))


def simulated(folder: Path) -> tuple[list[Watched], list[str]]:
    """Those that can run here, and for each of the others why it cannot."""
    found: list[Watched] = []
    missing: list[str] = []
    for made, lacks in (
        (SimulatedSqlServer, _lacks_for_sqlserver), (SimulatedOracle, _lacks_for_oracle),
    ):  # fmt: skip
        if reason := _lacks("sqlglot") or lacks():
            missing.append(f"{made.product}: {reason}")
        else:
            found.append(made(folder / made.db_type))
    return found, missing


def _lacks(package: str) -> str:
    return "" if find_spec(package) else f"the package {package} is not installed (make setup-demo)"


def _lacks_for_oracle() -> str:
    return _lacks("oracledb")


def _lacks_for_sqlserver() -> str:
    """Microsoft's driver loads without these libraries, and fails when it is to connect."""
    if reason := _lacks("mssql_python"):
        return reason
    absent = [package for library, package in LIBRARIES.items() if not _loads(library)]
    names = " ".join(absent)
    return f"Microsoft's driver lacks libraries of the system (packages {names})" if absent else ""


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
