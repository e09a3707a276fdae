"""The logins of an ERP system on SQL Server, and what happens to them overnight: intent, from which
the stand-in derives its catalog. Passwords are new secrets each time.
"""

from __future__ import annotations

import secrets

from tests.fakes.tds.catalog import DatabaseCatalog, Login, SqlServerCatalog


def fill(server: SqlServerCatalog) -> None:
    """A fresh instance becomes the demo's."""
    server.logins["sa"].password = secrets.token_urlsafe(18)
    _administrators(server)
    _services(server)
    _people(server)
    _erp(server.database("erp", "dba_wang", data_pages=2_600_000, log_pages=400_000))
    _hr(server.database("hr", "svc_hr", trustworthy=True, data_pages=180_000, log_pages=20_000))
    archive = server.database("archive", "dba_wang", data_pages=900_000)
    archive.state = "OFFLINE"
    server.linked_server("OLD-ERP", "erp_admin")
    server.settings["xp_cmdshell"] = 1


def change(server: SqlServerCatalog) -> None:
    """A GRANT, a REVOKE, a new login and a dropped one, whose user stays behind without it."""
    erp = server.databases["erp"]
    server.grant("ALTER ANY LOGIN", "svc_erp")
    erp.revoke("CONTROL", "schema:finance", of="svc_etl")
    _login(server, "intern_jo")
    server.add("platform_ops", "intern_jo")
    server.drop_login("contractor_2019")


def _login(server: SqlServerCatalog, name: str, type_: str = "S", **more: object) -> Login:
    return server.login(name, type_, password=secrets.token_urlsafe(18), **more)  # type: ignore[arg-type]


def _administrators(server: SqlServerCatalog) -> None:
    _login(server, "dba_wang", roles=("sysadmin",), expiration=True)
    _login(server, "dba_novak", roles=("securityadmin", "processadmin"), expiration=True)
    server.login("CORP\\sql-admins", "G", roles=("sysadmin",))
    server.login("BUILTIN\\Administrators", "G", roles=("sysadmin",))
    # The chain: metrics -> monitoring -> platform -> sysadmin
    server.role("platform_ops")
    server.role("monitoring")
    server.add("platform_ops", "monitoring")
    server.add("sysadmin", "platform_ops")


def _services(server: SqlServerCatalog) -> None:
    _login(server, "svc_metrics")
    server.add("monitoring", "svc_metrics")
    for name in ("svc_erp", "svc_etl", "svc_hr", "svc_backup"):
        _login(server, name, policy=name != "svc_etl")
    _login(server, "svc_import", policy=False, roles=("bulkadmin",))
    server.grant("IMPERSONATE", "svc_import", on="dba_wang")
    _login(server, "test", policy=False)
    server.grant("CONTROL SERVER", "test")
    _login(server, "svc_legacy", locked_out=True)


def _people(server: SqlServerCatalog) -> None:
    for name in ("li.wei", "anna.schmidt", "o'brien", "contractor_2019"):
        _login(server, name, expiration=True)
    _login(server, "former_employee", disabled=True)
    _login(server, "new_hire", must_change=True)
    server.login("CORP\\mei", "U")
    server.login("CORP\\finance", "G")


def _erp(erp: DatabaseCatalog) -> None:
    for name in (
        "svc_erp",
        "svc_etl",
        "li.wei",
        "anna.schmidt",
        "contractor_2019",
        "CORP\\finance",
    ):
        erp.user(name, name)
    erp.orphan("old_vendor")
    erp.role("finance_read", "li.wei", "CORP\\finance")
    erp.role("finance_write", "anna.schmidt", "contractor_2019")
    erp.add("db_owner", "svc_erp")
    erp.add("db_backupoperator", "li.wei")
    erp.table("finance.payments", "id", "amount", "iban", rows=4_200_000, data_pages=900_000)
    erp.table("finance.invoices", "id", "total", rows=900_000, data_pages=120_000)
    erp.table("dbo.orders", "id", "total", rows=12_000_000, data_pages=1_400_000)
    erp.procedure("finance.refund")
    erp.grant("SELECT", "schema:finance", to="finance_read")
    erp.grant("UPDATE", "finance.payments", to="finance_write")
    erp.grant("SELECT", "schema:finance", to="finance_write")
    erp.grant("CONTROL", "schema:finance", to="svc_etl")
    erp.deny("SELECT", "finance.payments", to="li.wei", column="iban")
    erp.grant("SELECT", "finance.invoices", to="public")
    erp.grant("EXECUTE", "finance.refund", to="old_vendor")


def _hr(hr: DatabaseCatalog) -> None:
    for name in ("svc_erp", "svc_backup", "o'brien", "CORP\\mei"):
        hr.user(name, name)
    hr.contained_user("tenant_portal")
    hr.role("hr_read", "o'brien", "svc_erp")
    hr.add("db_datareader", "hr_read")
    hr.add("db_backupoperator", "svc_backup")
    hr.add("db_owner", "CORP\\mei")
    hr.table("people.salaries", "id", "person", "amount", rows=8_000, data_pages=400)
    hr.table("people.reviews", "id", "text", rows=9_000, data_pages=1_200)
    hr.deny("SELECT", "people.salaries", to="svc_erp")
    hr.guest_connect()
