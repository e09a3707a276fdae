"""When each capability holds."""

from __future__ import annotations

import pytest

from tests.engines.oracle.cast import RULES, account, capabilities, observation, on, role, system
from whalefall.engines.base import Held, Principal
from whalefall.engines.observed import ObservedGrant, ObservedMembership, Scope
from whalefall.engines.oracle.accounts import public_account
from whalefall.engines.oracle.capabilities import BY_SYSTEM_PRIVILEGE, OF_SUPERUSERS, PACKAGES

APP = account("APP")
OTHER = Scope.OTHER


@pytest.mark.parametrize(("privilege", "capability"), sorted(BY_SYSTEM_PRIVILEGE.items()))
def test_a_system_privilege_gives_it_and_is_the_reason(privilege, capability):
    found = capabilities(APP, system("APP", privilege))
    assert found[capability].because == privilege
    assert capability not in capabilities(APP)


@pytest.mark.parametrize(
    ("grant", "capability"),
    [
        (system("APP", "SELECT ANY TABLE"), "ANY_PRIVILEGE"),
        (system("APP", "CREATE SESSION", grantable=True), "ADMIN_OPTION"),
        (system("APP", "DROP ANY TABLE", grantable=True), "GRANT_ADMIN"),
        (system("APP", "CREATE ANY TABLE", traits=("common",)), "COMMON_POWER"),
        (system("APP", "ALTER USER", database="ALL CONTAINERS"), "COMMON_POWER"),
        (ObservedGrant("APP", "SYSOPER", Scope.SERVER), "ADMINISTRATIVE"),
        (ObservedGrant("APP", "SYSDBA", Scope.SERVER), "SUPERUSER"),
        (on("APP", "SELECT", "SYS", "USER$"), "VERIFIER_ACCESS"),
        (on("APP", "DELETE", "SYS", "AUD$"), "AUDIT_TRAIL_ACCESS"),
        (on("APP", "SELECT", "AUDSYS", "AUD$UNIFIED"), "AUDIT_TRAIL_ACCESS"),
        (on("APP", "SELECT", "SYS", "DBA_USERS"), "SYSTEM_DATA_READ"),
        (on("APP", "SELECT", "HR", "EMP", grantable=True), "GRANT_OPTION"),
        (on("APP", "SELECT", "HR", "EMP", traits=("hierarchy",)), "HIERARCHY_OPTION"),
        (ObservedGrant("APP", "READ", OTHER, object="D", object_type="directory"), "FILE_ACCESS"),
        (
            ObservedGrant("APP", "EXECUTE", OTHER, object="D", object_type="directory"),
            "PROGRAM_EXECUTION",
        ),
        (ObservedGrant("APP", "PROXY", OTHER, object="HR", object_type="account"), "IMPERSONATE"),
        (
            ObservedGrant("APP", "JAVA PERMISSION", OTHER, object="java.io.FilePermission x read"),
            "JAVA_PERMISSIONS",
        ),
        (
            ObservedGrant("APP", "QUOTA", Scope.TABLESPACE, object="SYSTEM", traits=("unlimited",)),
            "UNLIMITED_TABLESPACE",
        ),
    ],
)
def test_a_grant_gives_it(grant, capability):
    assert capability in capabilities(APP, grant)


@pytest.mark.parametrize(
    ("grant", "capability"),
    [
        (system("APP", "CREATE TABLE", grantable=True), "GRANT_ADMIN"),
        (system("APP", "CREATE SESSION", traits=("common",)), "COMMON_POWER"),
        (system("APP", "ALTER USER", database="SALESPDB"), "COMMON_POWER"),
        (ObservedGrant("APP", "SYSOPER", Scope.SERVER), "SUPERUSER"),
        (on("APP", "SELECT", "HR", "USER$"), "VERIFIER_ACCESS"),
        (on("APP", "SELECT", "APP", "EMP", grantable=True), "GRANT_OPTION"),
        (on("APP", "DEBUG", "SYS", "UTL_HTTP", Scope.ROUTINE), "NETWORK_PACKAGES"),
        (
            ObservedGrant("APP", "QUOTA", Scope.TABLESPACE, object="USERS", traits=("unlimited",)),
            "UNLIMITED_TABLESPACE",
        ),
    ],
)
def test_what_looks_alike_does_not(grant, capability):
    assert capability not in capabilities(APP, grant)


@pytest.mark.parametrize(
    ("package", "capability"),
    [(package, name) for name, packages in PACKAGES.items() for package in packages],
)
def test_execute_on_a_package_gives_it(package, capability):
    found = capabilities(APP, on("APP", "EXECUTE", "SYS", package, Scope.ROUTINE))
    assert found[capability].because == f"EXECUTE on SYS.{package}"


def test_role_dba_is_a_superuser_by_the_path_that_leads_to_it():
    found = capabilities(APP, roles={"TEAM": ("TEAM",), "DBA": ("TEAM", "DBA")})
    assert found["SUPERUSER"].path == ("TEAM", "DBA")
    assert set(OF_SUPERUSERS) <= found.keys()
    assert found["BIG_ROLE"].because == "role DBA"


def test_the_shortest_path_is_the_reason():
    grants = [system("TEAM", "CREATE USER"), system("APP", "DROP USER")]
    held = [Held(grants[0], ("TEAM",)), Held(grants[1])]
    found = {
        one.name: one
        for one in RULES.capabilities(Principal(APP, {}, {}, held), observation([APP], grants))
    }
    assert (found["CREATE_USER"].because, found["CREATE_USER"].path) == ("DROP USER", ())


@pytest.mark.parametrize(
    ("name", "is_power"), [("DBA", True), ("SCHEDULER_ADMIN", True), ("TEAM", False)]
)
def test_the_admin_option_on_a_powerful_role_makes_an_administrator(name, is_power):
    found = capabilities(APP, admin_of={name: ()})
    assert found["ADMIN_OPTION"].because == f"{name} WITH ADMIN OPTION"
    assert ("GRANT_ADMIN" in found) is is_power


def test_a_proxy_to_somebody_who_is_a_dba_by_a_role_inside_a_role():
    proxy = ObservedGrant("APP", "PROXY", OTHER, object="BOSS", object_type="account")
    seen = observation(
        [APP, account("BOSS"), role("TEAM"), role("DBA")],
        [proxy],
        [ObservedMembership("BOSS", "TEAM", default=False), ObservedMembership("TEAM", "DBA")],
    )
    (found,) = [
        one
        for one in RULES.capabilities(Principal(APP, {}, {}, [Held(proxy)]), seen)
        if one.name == "PROXY_TO_POWER"
    ]
    assert found.because == "PROXY on BOSS, who has role DBA"


def test_a_proxy_to_somebody_harmless_is_none_to_power():
    proxy = ObservedGrant("APP", "PROXY", OTHER, object="HR", object_type="account")
    assert "PROXY_TO_POWER" not in capabilities(APP, proxy)


@pytest.mark.parametrize(
    ("attributes", "capability"),
    [
        ({"oracle_maintained": True}, "MAINTAINED"),
        ({"locked": True, "status": "LOCKED(TIMED)"}, "LOCKED"),
        ({"password_expired": True}, "PASSWORD_EXPIRED"),
        ({"default_password": True}, "DEFAULT_PASSWORD"),
        ({"authentication": "EXTERNAL"}, "EXTERNAL_LOGIN"),
        ({"profile": "DEFAULT"}, "DEFAULT_PROFILE"),
        ({"password_versions": ["10G", "11G"]}, "OLD_VERIFIER"),
        ({"default_tablespace": "SYSAUX"}, "SYSTEM_TABLESPACE"),
        ({"limits": {"FAILED_LOGIN_ATTEMPTS": "6"}}, "WEAK_LOCKING"),
        ({"limits": {"FAILED_LOGIN_ATTEMPTS": "UNLIMITED"}}, "WEAK_LOCKING"),
        ({"limits": {"PASSWORD_LOCK_TIME": ".0006"}}, "WEAK_LOCKING"),
        ({"limits": {"PASSWORD_LIFE_TIME": "180"}}, "WEAK_PASSWORD_LIFE"),
        ({"limits": {"PASSWORD_GRACE_TIME": "7"}}, "WEAK_PASSWORD_LIFE"),
        ({"limits": {"INACTIVE_ACCOUNT_TIME": "UNLIMITED"}}, "WEAK_PASSWORD_LIFE"),
        ({"limits": {"PASSWORD_REUSE_MAX": "5"}}, "WEAK_PASSWORD_REUSE"),
        ({"limits": {"PASSWORD_REUSE_TIME": "30"}}, "WEAK_PASSWORD_REUSE"),
        ({"limits": {"PASSWORD_VERIFY_FUNCTION": "NULL"}}, "NO_PASSWORD_CHECK"),
        ({"limits": {"SESSIONS_PER_USER": "UNLIMITED"}}, "MANY_SESSIONS"),
    ],
)
def test_attributes_of_the_user_give_it(attributes, capability):
    assert capability in capabilities(account("X", **attributes))


STRICT = {
    "FAILED_LOGIN_ATTEMPTS": "5",
    "PASSWORD_LOCK_TIME": "1",
    "PASSWORD_LIFE_TIME": "90",
    "PASSWORD_GRACE_TIME": "5",
    "INACTIVE_ACCOUNT_TIME": "120",
    "PASSWORD_REUSE_MAX": "20",
    "PASSWORD_REUSE_TIME": "UNLIMITED",
    "PASSWORD_VERIFY_FUNCTION": "ORA12C_STRONG_VERIFY_FUNCTION",
    "SESSIONS_PER_USER": "10",
}


def test_a_strict_profile_has_no_fault_and_an_unread_one_neither():
    assert capabilities(account("X", limits=STRICT, password_versions=["11G", "12C"])) == {}
    assert capabilities(account("X", limits={}, default_password=None)) == {}


def test_profiles_of_those_who_cannot_log_in_do_not_count():
    weak = {"SESSIONS_PER_USER": "UNLIMITED"}
    assert "MANY_SESSIONS" not in capabilities(account("X", limits=weak, locked=True))


def test_sample_schemas_are_known_by_name_in_any_container():
    assert "SAMPLE_SCHEMA" in capabilities(account("SCOTT"))
    assert "SAMPLE_SCHEMA" in capabilities(account("HR@SALESPDB"))


@pytest.mark.parametrize(
    ("grant", "capability"),
    [
        (system("PUBLIC", "CREATE SESSION"), "PUBLIC_SYSTEM_RIGHTS"),
        (
            ObservedGrant("PUBLIC", "UPDATE", Scope.COLUMN, schema="HR", object="E", column="C"),
            "PUBLIC_SYSTEM_RIGHTS",
        ),
        (ObservedGrant("PUBLIC", "DATABASE LINK", OTHER, object="L"), "PUBLIC_LINK"),
        (ObservedGrant("PUBLIC", "LEFT BEHIND", OTHER, object="USER$MIG"), "UPGRADE_LEFTOVERS"),
    ],
)
def test_what_everybody_has_shows_on_public(grant, capability):
    assert capability in capabilities(public_account(), grant)


def test_a_role_or_the_setting_for_capitals_shows_on_public():
    found = capabilities(
        public_account(), roles={"TEAM": ("TEAM",)}, sec_case_sensitive_logon="FALSE"
    )
    assert {"PUBLIC_SYSTEM_RIGHTS", "CASE_INSENSITIVE_LOGIN"} <= found.keys()


@pytest.mark.parametrize("name", RULES.capabilities_known)
def test_the_sections_of_a_capability_are_read(name):
    from whalefall.engines.oracle.server import PARTS

    read = {section for sections, _ in PARTS.values() for section in sections}
    assert set(RULES.sections_for_capability(name)) <= read
