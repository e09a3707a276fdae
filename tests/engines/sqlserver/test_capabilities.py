"""When each capability holds, on the fleet of the live tests and on small instances."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from tests.engines.sqlserver.cast import Judged
from tests.fakes.tds.catalog import SqlServerCatalog
from tests.live.sqlserver import fleet
from whalefall.engines.hidden import hidden
from whalefall.engines.sqlserver import capabilities


@pytest.fixture(scope="module")
def fleet_of():
    return Judged(fleet.build())


PEOPLE = {
    "SYSADMIN": {"sa", "boss", "chief", "BUILTIN\\Administrators", "sysadmin", "inner", "outer"},
    "SERVER_ALTER": {
        "officer", "runner", "securityadmin", "serveradmin", "setupadmin", "processadmin",
    },
    "IMPERSONATE": {"mimic", "officer", "auditor@sales"},
    "UNTRUSTED_CODE": {"lazy", "clerk@sales"},
    "DIRECT_SERVER_PRIVILEGE": {"controller"},
    "TRUSTWORTHY_OWNER": {"boss", "dbo@sales"},
    "TRUSTWORTHY_ESCALATION": {"owner_li", "owner_li@sales", "db_owner@sales"},
    "CHAINING_OWNER": {"owner_li", "dbo@chained"},
    "LINKED_LOGIN": {"app", "public"},
    "LOCKED": {"locked", "disabled", "kept_out", "##MS_PolicyEventProcessingLogin##"},
    "NO_PASSWORD": {"lax"},
    "NAME_PASSWORD": {"lazy"},
    "PASSWORD_EXPIRED": {"expired", "fresh"},
    "MUST_CHANGE": {"fresh"},
    "NO_PASSWORD_POLICY": {"app", "lax"},
    "SA_ENABLED": {"sa"},
    "SA_NOT_RENAMED": {"sa"},
    "FALSE_SA": set(),
    "LOCAL_GROUP": {"SQLBOX\\ops", "BUILTIN\\Administrators"},
    "ORPHANED": {"gone@sales"},
    "CONTAINED_PASSWORD": {"tenant@chained"},
    "GUEST_CONNECT": {"guest@sales"},
    "GUEST_RIGHTS": set(),
    "PUBLIC_BEYOND_DEFAULT": set(),
    "PUBLIC_OBJECT_GRANT": {"public@sales"},
    "APPLICATION_ROLE": {"till@sales"},
    "NESTED_IN_FIXED_ROLE": {"inner", "outer", "readers@sales", "team@sales"},
    "EMPTY_ROLE": {"nobody", "empty@sales"},
    "INEFFECTIVE_DENY": {"app_user@sales"},
    "MIXED_MODE": {"public"},
    "XP_CMDSHELL_ON": {"public"},
    "CHAINING_ON": set(),
    "MODEL_ACCESS": set(),
}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_it_holds_for_these_and_nobody_else(fleet_of, name):
    assert fleet_of.who(name) == PEOPLE[name]


@pytest.fixture
def server():
    made = SqlServerCatalog()
    made.login("app")
    made.database("shop")
    made.databases["shop"].user("app", "app")
    return made


def gained(server, name="app@shop"):
    return Judged(server).of(name).keys()


@pytest.mark.parametrize(
    ("privilege", "name"),
    [
        ("CONTROL SERVER", "SUPERUSER"),
        ("ALTER ANY LOGIN", "GRANT_ADMIN"),
        ("ALTER ANY SERVER ROLE", "CREATE_ROLE"),
        ("IMPERSONATE ANY LOGIN", "IMPERSONATE"),
        ("UNSAFE ASSEMBLY", "UNTRUSTED_CODE"),
        ("EXTERNAL ACCESS ASSEMBLY", "UNTRUSTED_CODE"),
        ("ADMINISTER BULK OPERATIONS", "FILE_ACCESS"),
        ("CREATE ANY DATABASE", "CREATE_DB"),
        ("AUTHENTICATE SERVER", "AUTHENTICATE_SERVER"),
        ("VIEW SERVER STATE", "MONITOR"),
        ("VIEW ANY DEFINITION", "DIRECT_VIEW"),
    ],
)
def test_a_server_permission_gives_it_and_its_denial_takes_it(server, privilege, name):
    server.grant(privilege, "app")
    assert name in gained(server, "app")
    server.deny(privilege, "app")
    assert name not in gained(server, "app")


@pytest.mark.parametrize(
    ("privilege", "on", "name"),
    [
        ("CONTROL", "", "DB_OWNER"),
        ("SELECT", "", "DATABASE_READ"),
        ("DELETE", "", "DATABASE_WRITE"),
        ("EXECUTE", "", "EXECUTE_WIDE"),
        ("EXECUTE", "schema:dbo", "EXECUTE_WIDE"),
        ("ALTER ANY USER", "", "CREATE_ROLE"),
        ("SELECT", "dbo.t", "DIRECT_DATABASE_GRANT"),
    ],
)
def test_a_database_permission_gives_it_to_user_and_login(server, privilege, on, name):
    shop = server.databases["shop"]
    shop.table("dbo.t", "id")
    shop.grant(privilege, on, to="app")
    judged = Judged(server)
    assert name in judged.of("app@shop")
    assert (name in judged.of("app")) is (name != "DIRECT_DATABASE_GRANT")


def test_xp_cmdshell_is_program_execution(server):
    server.databases["master"].user("app", "app")
    server.databases["master"].grant("EXECUTE", ("sys", "xp_cmdshell"), to="app")
    server.databases["master"].grant("EXECUTE", ("sys", "xp_regread"), to="app")
    assert {"PROGRAM_EXECUTION", "EXTENDED_PROCEDURES"} <= gained(server, "app")


def test_what_public_may_beyond_the_defaults(server):
    server.grant("VIEW SERVER STATE", "public")
    assert "PUBLIC_BEYOND_DEFAULT" in gained(server, "public")


def test_a_renamed_sa_and_a_login_that_took_the_name():
    server = SqlServerCatalog()
    server.logins["root"] = server.logins.pop("sa")
    server.logins["root"].name, server.logins["root"].disabled = "root", True
    server.login("sa")
    judged = Judged(server, "root")
    assert judged.who("FALSE_SA") == {"sa"}
    assert judged.who("SA_ENABLED") == judged.who("SA_NOT_RENAMED") == set()


def test_guest_in_a_role_or_with_a_grant(server):
    shop = server.databases["shop"]
    shop.role("clerks", "guest")
    assert "GUEST_RIGHTS" in gained(server, "guest@shop")


def test_dbo_whose_owner_is_another(server):
    server.databases["shop"].users["dbo"].sid = server.logins["app"].sid
    assert "DBO_MISMATCH" in gained(server, "dbo@shop")


def test_a_user_in_model(server):
    server.databases["model"].user("app", "app")
    assert "MODEL_ACCESS" in gained(server, "app@model")


def test_settings_stand_on_public(server):
    server.settings |= {"cross db ownership chaining": 1, "Ole Automation Procedures": 1}
    server.windows_only = True
    assert {"CHAINING_ON", "OLE_AUTOMATION_ON"} <= gained(server, "public")
    assert "MIXED_MODE" not in gained(server, "public")


def test_a_denial_to_a_sysadmin_is_in_vain(server):
    server.add("sysadmin", "app")
    server.deny("VIEW ANY DATABASE", "app")
    assert "INEFFECTIVE_DENY" in gained(server, "app")


def test_a_superuser_needs_no_flaw(server):
    server.add("sysadmin", "app")
    server.grant("ALTER ANY LOGIN", "app")
    found = gained(server, "app")
    assert set(capabilities.OF_SUPERUSERS) <= found
    assert not capabilities.NOT_OF_SUPERUSERS & found


def test_what_comes_with_msdb_is_nobodys_fault(server):
    server.databases["msdb"].role("SQLAgentUserRole")
    assert "EMPTY_ROLE" not in gained(server, "SQLAgentUserRole@msdb")


@pytest.mark.parametrize(
    ("name", "is_hidden"),
    [
        ("##MS_PolicyEventProcessingLogin##", True),
        ("NT SERVICE\\MSSQLSERVER", True),
        ("db_owner@sales", True),
        ("SQLAgentReaderRole@msdb", True),
        ("app@msdb", False),
        ("public@sales", False),
        ("sa", False),
    ],
)
def test_lists_leave_out_what_comes_with_the_product(name, is_hidden):
    patterns = hidden()["sqlserver"].accounts
    assert any(fnmatchcase(name, each) for each in patterns) is is_hidden
