"""When each capability holds."""

from __future__ import annotations

import pytest

from tests.engines.mysql.cast import RULES, account, capabilities, grant, observation
from whalefall.engines.base import Held, Principal
from whalefall.engines.mysql.capabilities import CAPABILITIES
from whalefall.engines.observed import GrantState, Kind, Scope

APP = account("app_rw@10.1.2.3")
ME = APP.username

BY_PRIVILEGE = [
    ("SUPER", "SUPERUSER"),
    ("GRANT OPTION", "GRANT_ADMIN"),
    ("CREATE USER", "GRANT_ADMIN"),
    ("ROLE_ADMIN", "GRANT_ADMIN"),
    ("UPDATE", "GRANT_ADMIN"),
    ("GRANT OPTION", "GRANT_OPTION"),
    ("CREATE USER", "CREATE_ROLE"),
    ("CREATE ROLE", "CREATE_ROLE"),
    ("CREATE", "CREATE_DB"),
    ("REPLICATION SLAVE", "REPLICATION"),
    ("REPLICATION_SLAVE_ADMIN", "REPLICATION"),
    ("FILE", "FILE_ACCESS"),
    ("INSERT", "PROGRAM_EXECUTION"),
    ("SET_USER_ID", "IMPERSONATE"),
    ("SET_ANY_DEFINER", "IMPERSONATE"),
    ("SELECT", "ALL_DATA_READ"),
    ("DELETE", "ALL_DATA_WRITE"),
    ("SELECT", "SYSTEM_DATA_READ"),
    ("INSERT", "SYSTEM_DATA_WRITE"),
]


@pytest.mark.parametrize(("privilege", "capability"), BY_PRIVILEGE)
def test_a_global_privilege_gives_it_and_is_the_reason(privilege, capability):
    found = capabilities(APP, grant(ME, privilege))

    assert found[capability].because.startswith(f"{privilege} on *.*")
    assert capability not in capabilities(APP)


def test_the_split_of_super_counts_as_super():
    variables = grant(ME, "SYSTEM_VARIABLES_ADMIN")

    assert "SUPERUSER" not in capabilities(APP, variables)
    found = capabilities(APP, variables, grant(ME, "CONNECTION_ADMIN"))
    assert found["SUPERUSER"].because == "SYSTEM_VARIABLES_ADMIN and CONNECTION_ADMIN on *.*"


@pytest.mark.parametrize("vendor", ["MySQL", "MariaDB"])
def test_all_static_privileges_count_as_super(vendor):
    every = [grant(ME, name) for name in RULES.privileges["global"] if name != "SUPER"]

    assert "SUPERUSER" in capabilities(APP, *every, vendor=vendor)
    without_drop = [one for one in every if one.privilege not in ("DROP", "SYSTEM_VARIABLES_ADMIN")]
    assert "SUPERUSER" not in capabilities(APP, *without_drop, vendor=vendor)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        (grant(ME, "UPDATE", "mysql"), True),
        (grant(ME, "UPDATE", "my%", is_pattern=True), True),
        (grant(ME, "UPDATE", "my%"), False),
        (grant(ME, "UPDATE", "sales"), False),
        (grant(ME, "UPDATE", "mysql", "user"), True),
        (grant(ME, "UPDATE", "mysql", "time_zone"), False),
        (grant(ME, "SELECT", "mysql"), False),
    ],
)
def test_writing_the_grant_tables_is_being_able_to_grant(given, holds):
    assert ("GRANT_ADMIN" in capabilities(APP, given)) is holds


def test_a_partial_revoke_of_mysql_takes_the_grant_tables_away():
    taken = grant(ME, "UPDATE", "mysql", state=GrantState.REVOKE)

    found = capabilities(APP, grant(ME, "UPDATE"), taken)

    assert "GRANT_ADMIN" not in found
    assert found["PARTIAL_REVOKE"].because == "UPDATE on *.* except mysql"


def test_the_grant_option_on_any_level_counts():
    found = capabilities(APP, grant(ME, "SELECT", "sales", "orders", grantable=True))

    assert found["GRANT_OPTION"].because == "SELECT on sales.orders WITH GRANT OPTION"
    assert "GRANT_ADMIN" not in found


def test_create_on_an_open_pattern_creates_databases():
    assert "CREATE_DB" in capabilities(APP, grant(ME, "CREATE", "app%", is_pattern=True))
    assert "CREATE_DB" not in capabilities(APP, grant(ME, "CREATE", "app\\%", is_pattern=True))
    assert "CREATE_DB" not in capabilities(APP, grant(ME, "CREATE", "app"))


def proxy(target: str):
    return grant(ME, "PROXY", scope=Scope.OTHER, object=target, object_type="account")


def test_proxy_on_nobody_in_particular_is_proxy_on_anyone():
    assert "PROXY_TO_ANYONE" in capabilities(APP, proxy("@"))
    assert "PROXY_TO_ANYONE" not in capabilities(APP, proxy("li@%"))
    assert capabilities(APP, proxy("li@%"))["IMPERSONATE"].because == "PROXY on li@%"


def test_proxy_on_a_powerful_account_is_named_with_its_power():
    seen = observation([APP], [proxy("dba@%"), grant("dba@%", "CREATE USER")])

    found = RULES.capabilities(Principal(APP, {}, {}, [Held(proxy("dba@%"))]), seen)

    reasons = {one.name: one.because for one in found}
    assert reasons["PROXY_TO_POWER"] == "PROXY on dba@%, which has CREATE USER"


def test_super_impersonates_where_the_version_lets_it():
    assert "IMPERSONATE" in capabilities(APP, grant(ME, "SUPER"), main_version="8.0")
    assert "IMPERSONATE" not in capabilities(APP, grant(ME, "SUPER"), main_version="8.4")


def test_the_shortest_path_is_the_reason():
    held = [Held(grant("r@%", "FILE"), ("a@%", "r@%")), Held(grant("a@%", "FILE"), ("a@%",))]

    (found,) = [
        one
        for one in RULES.capabilities(Principal(APP, {}, {}, held), observation([APP]))
        if one.name == "FILE_ACCESS"
    ]

    assert found.path == ("a@%",)


def test_the_admin_option_names_the_role():
    found = capabilities(APP, admin_of={"dba@%": ()})

    assert found["ROLE_ADMIN_OPTION"].because == "dba@% WITH ADMIN OPTION"


BY_ACCOUNT = [
    ("LOCKED", account("a@h", locked=True)),
    ("ANONYMOUS", account("@localhost")),
    ("NO_PASSWORD", account("a@h", password="empty")),
    ("NO_PASSWORD", account("a@h", password="socket or empty")),
    ("PASSWORD_EXPIRED", account("a@h", password_expired=True)),
    ("PASSWORD_NEVER_EXPIRES", account("a@h", password_lifetime=0)),
    ("PASSWORD_NEVER_EXPIRES", account("a@h")),
    ("OLD_PASSWORD", account("a@h", password="old")),
    ("WEAK_PLUGIN", account("a@h", password="native")),
    ("WEAK_PLUGIN", account("a@h", password="sha256")),
    ("DUPLICATE_PASSWORD", account("a@h", password_shared=True)),
    ("SECOND_PASSWORD", account("a@h", second_password=True)),
    ("NO_FAILED_LOGIN_LOCK", account("a@h")),
    ("ANY_HOST", account("a@%")),
    ("ANY_HOST", account("a@")),
    ("WIDE_HOST", account("a@10.%")),
    ("WIDE_HOST", account("a@10.0.0.0/255.0.0.0")),
    ("REMOTE_LOGIN", account("a@db7.example")),
    ("REMOTE_ROOT", account("root@%")),
    ("NO_TLS_REQUIRED", account("a@10.1.2.3")),
]


@pytest.mark.parametrize(("capability", "one"), BY_ACCOUNT)
def test_what_the_account_is_gives_it(capability, one):
    assert capability in capabilities(one)


NOT_BY_ACCOUNT = [
    ("LOCKED", account("r@%", Kind.ROLE, locked=True)),
    ("NO_PASSWORD", account("a@h", password="empty", locked=True)),
    ("NO_PASSWORD", account("a@h", password="socket")),
    ("NO_PASSWORD", account("r", Kind.ROLE, password="none")),
    ("PASSWORD_NEVER_EXPIRES", account("a@h", password_lifetime=90)),
    ("PASSWORD_NEVER_EXPIRES", account("a@h", password="socket")),
    ("NO_FAILED_LOGIN_LOCK", account("a@h", failed_login_attempts=3)),
    ("WEAK_PLUGIN", account("a@h", password="ed25519")),
    ("ANY_HOST", account("a@10.%")),
    ("ANY_HOST", account("r@%", Kind.ROLE)),
    ("WIDE_HOST", account("a@10.1.%")),
    ("WIDE_HOST", account("a@10.1.2.0/255.255.255.0")),
    ("REMOTE_ROOT", account("root@localhost")),
    ("NO_TLS_REQUIRED", account("a@localhost")),
    ("NO_TLS_REQUIRED", account("a@10.1.2.3", tls="any")),
    ("SEVERAL_HOSTS", account("a@%")),
]


@pytest.mark.parametrize(("capability", "one"), NOT_BY_ACCOUNT)
def test_what_the_account_is_does_not_give_it(capability, one):
    assert capability not in capabilities(one)


@pytest.mark.parametrize(
    ("capability", "settings"),
    [
        ("PASSWORD_NEVER_EXPIRES", {"default_password_lifetime": "180"}),
        ("NO_TLS_REQUIRED", {"require_secure_transport": "ON"}),
        ("NO_FAILED_LOGIN_LOCK", {"max_password_errors": "10"}),
    ],
)
def test_a_setting_of_the_server_mends_it(capability, settings):
    one = account("a@10.1.2.3")

    assert capability in capabilities(one)
    assert capability not in capabilities(one, **settings)


def test_one_name_on_several_hosts_is_counted():
    first, second = account("a@h1"), account("a@h2")
    seen = observation([first, second, account("b@h1")])

    found = {one.name: one for one in RULES.capabilities(Principal(first, {}, {}, []), seen)}

    assert found["SEVERAL_HOSTS"].because == "2 accounts are called a"


def test_every_capability_is_defined_in_words_and_knows_its_sections():
    for name, question in CAPABILITIES.items():
        assert question.__doc__, name
        assert "accounts" in RULES.sections_for_capability(name)
    assert tuple(CAPABILITIES) == RULES.capabilities_known
