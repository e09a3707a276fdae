"""Which capabilities the fleet's roles have, and through whom."""

from __future__ import annotations

import pytest

EXPECTED = {
    "boss": {"SUPERUSER", "FILE_ACCESS", "BYPASS_RLS", "GRANT_ADMIN", "SUPERUSER_REMOTE"},
    "carol": {"CREATE_ROLE", "ADMIN_OPTION", "NO_VALID_UNTIL", "NO_CONNECTION_LIMIT"},
    "erin": {"REPLICATION", "BYPASS_RLS", "NO_PASSWORD"},
    "gina": {"MONITOR", "TRUST_LOGIN"},
    "shop_owner": {"OWNS_DATABASE", "OWNS_SCHEMA", "OWNS_TABLE", "RLS_EXEMPT_OWNER"},
    "frank": {"OWNS_DATABASE", "OWNS_TABLE"},
    "outsider": {"FILE_ACCESS"},
    "alice": {"FOREIGN_ACCESS", "DEFAULT_GRANTS"},
    "writer": {"SUPERUSER_DEFAULTS"},
    "public": {"SUPERUSER_DEFINER", "FOREIGN_ACCESS"},
    "dave": {"LOCKED", "CREATE_DB"},
}
ABSENT = {
    "bob": {"SUPERUSER", "NO_VALID_UNTIL", "LOCKED"},
    "alice": {"SUPERUSER_DEFINER", "SUPERUSER_DEFAULTS", "NO_CONNECTION_LIMIT", "LOCKED"},
    "reader": {"NO_PASSWORD", "NO_VALID_UNTIL", "NO_CONNECTION_LIMIT", "LOCKED"},
    "boss": {"RLS_EXEMPT_OWNER", "SUPERUSER_DEFINER", "MD5_PASSWORD"},
    "erin": {"SUPERUSER", "CREATE_ROLE"},
    "public": {"NO_PASSWORD", "NO_VALID_UNTIL"},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_it_has(effective, name):
    assert EXPECTED[name] <= effective.capabilities(name).keys()


@pytest.mark.parametrize("name", ABSENT)
def test_it_has_not(effective, name):
    assert not ABSENT[name] & effective.capabilities(name).keys()


def test_attributes_of_a_role_do_not_pass_to_its_members(effective):
    assert "boss" in effective.roles("dave", "SET")
    assert "SUPERUSER" not in effective.capabilities("dave")


def test_a_capability_says_why_and_through_whom(effective):
    owns = effective.capabilities("frank")["OWNS_DATABASE"]
    assert (owns.because, owns.path) == ("OWNER on shop", ("shop_owner",))


def test_create_role_reaches_everything_before_16(server, effective):
    with server.connect() as connection:
        is_old = connection.info.server_version < 160000
    assert ("GRANT_ADMIN" in effective.capabilities("carol")) is is_old


def test_predefined_roles_give_their_capabilities(server, effective):
    with server.connect() as connection:
        if connection.info.server_version < 140000:
            pytest.skip("pg_read_all_data came with 14")
    assert effective.capabilities("erin")["READ_ALL_DATA"].path == ("pg_read_all_data",)
    assert "WRITE_ALL_DATA" in effective.capabilities("frank")


def test_parameters_are_told(server, effective):
    with server.connect() as connection:
        if connection.info.server_version < 150000:
            pytest.skip("parameters cannot be granted before 15")
    assert effective.capabilities("writer")["SET_PARAMETER"].because == "SET on work_mem"
