"""The awkward instance of the tests: every kind of principal, state and name, once."""

from __future__ import annotations

from tests.fakes.tds.catalog import DatabaseCatalog, SqlServerCatalog

ODD = "o'dd ]\"[db] 🐳"
ADMIN, PASSWORD = "sa", "Sa-Pass-1"


def build(major: int = 15) -> SqlServerCatalog:
    server = SqlServerCatalog(major)
    _logins(server)
    _sales(server)
    _odd(server)
    chained = server.database("chained", "owner_li", chaining=True)
    chained.contained_user("tenant")
    server.database("legacy", state="OFFLINE")
    server.database("copy", state="RESTORING")
    server.linked_server("ERP", "erp_admin")
    server.linked_server("OLDBOX", "reader", local="app")
    server.settings["xp_cmdshell"] = 1
    return server


def _logins(server: SqlServerCatalog) -> None:
    server.login("boss", roles=("sysadmin",))
    server.login("app", policy=False)
    server.login("lax", policy=False, expiration=False, password="")
    server.login("lazy", password="lazy")
    server.login("locked", locked_out=True)
    server.login("disabled", disabled=True)
    server.login("expired", expired=True)
    server.login("fresh", must_change=True)
    server.login("kept_out")
    server.deny("CONNECT SQL", "kept_out")
    server.login("owner_li")
    server.login("officer", roles=("securityadmin",))
    server.login("runner", roles=("processadmin", "bulkadmin"))
    server.login("controller")
    server.grant("CONTROL SERVER", "controller", option=True)
    server.login("mimic")
    server.grant("IMPERSONATE", "mimic", on="boss")
    server.login("chief", disabled=False)
    server.login("SQLBOX\\ops", "G")
    server.login("BUILTIN\\Administrators", "G", roles=("sysadmin",))
    server.login("CORP\\mei", "U")
    server.role("watchers", "app", "CORP\\mei")
    server.grant("VIEW SERVER STATE", "watchers")
    server.role("outer")
    server.role("inner", "chief")
    server.add("outer", "inner")
    server.add("sysadmin", "outer")
    server.role("nobody")
    server.login("it's ]odd\" 🐳")


def _sales(server: SqlServerCatalog) -> DatabaseCatalog:
    sales = server.database("sales", "boss", trustworthy=True)
    sales.user("app_user", "app")
    sales.user("lazy", "lax")  # the name of another login: SIDs decide
    sales.user("owner_li", "owner_li")
    sales.user("clerk", "lazy")
    sales.user("auditor", "officer")
    sales.user("mei", "CORP\\mei")
    sales.orphan("gone")
    sales.user_without_login("batch")
    sales.role("readers", "app_user", "clerk")
    sales.role("team", "readers")
    sales.role("empty")
    sales.application_role("till")
    sales.add("db_datareader", "team")
    sales.add("db_owner", "owner_li")
    sales.table("hr.salaries", "id", "amount", "note", rows=12, data_pages=5, index_pages=2)
    sales.table("dbo.orders", "id", "total", rows=1_000, data_pages=100)
    sales.table("dbo.secret", "id", owner="clerk")
    sales.procedure("dbo.refund", execute_as=-2)
    sales.schema("clerks", owner="clerk")
    sales.table("clerks.notes", "id")
    sales.deny("SELECT", "hr.salaries", to="app_user")
    sales.grant("SELECT", "hr.salaries", to="app_user", column="amount")
    sales.deny("SELECT", "schema:clerks", to="readers")
    sales.grant("EXECUTE", "dbo.refund", to="clerk", option=True)
    sales.grant("UPDATE", "hr.salaries", to="clerk", column="note")
    sales.grant("SELECT", "dbo.orders", to="auditor", state="R")
    sales.grant("INSERT", "dbo.orders", to="auditor")
    sales.grant("IMPERSONATE", "user:owner_li", to="auditor")
    sales.grant("SELECT", "dbo.orders", to="public")
    sales.deny("DELETE", "dbo.orders", to="public")
    sales.grant("DELETE", "schema:dbo", to="mei")
    sales.grant("CONTROL", "schema:hr", to="mei")
    sales.deny("UPDATE", "hr.salaries", to="mei")
    sales.assembly("clr", owner="clerk", level="UNSAFE_ACCESS")
    sales.guest_connect()
    return sales


def _odd(server: SqlServerCatalog) -> None:
    odd = server.database(ODD, "sa")
    odd.user("a@b", "app")
    odd.user("o'] \" 🐳", "it's ]odd\" 🐳")
    odd.thing("we.ird]", "t'a\"b le", "co]l'")
    odd.grant("SELECT", ("we.ird]", "t'a\"b le"), to="a@b", column="co]l'")
