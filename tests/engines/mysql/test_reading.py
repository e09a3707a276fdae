"""Rows as accounts and grants: kinds of passwords, names, hosts, sizes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall.engines.mysql.accounts import AccountReader, password_kind
from whalefall.engines.mysql.hosts import covers, like
from whalefall.engines.mysql.names import (
    account_name,
    from_bits,
    from_columns,
    from_set,
    mended,
    split_account,
)
from whalefall.engines.mysql.sizes import Files, TableSize, database_size

HASH = "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"


@pytest.mark.parametrize(
    ("plugin", "verifier", "kind"),
    [
        ("", "", "empty"),
        ("mysql_native_password", HASH, "native"),
        ("mysql_native_password", "invalid", "unusable"),
        ("mysql_native_password", "5d2e19393cc5ef67", "old"),
        ("caching_sha2_password", "", "empty"),
        ("caching_sha2_password", "$A$005$abc", "caching_sha2"),
        (
            "caching_sha2_password",
            "$A$005$THISISACOMBINATIONOFINVALIDSALTANDPASSWORDTHATMUSTNEVERBRBEUSED",
            "unusable",
        ),
        ("unix_socket", "", "socket"),
        ("auth_socket", "", "socket"),
        ("pam", "", "pam"),
        ("mysql_no_login", "", "none"),
        ("somebodys_plugin", "", "external"),
    ],
)
def test_a_verifier_is_known_by_its_kind_only(plugin, verifier, kind):
    assert password_kind(plugin, verifier) == kind


def json_row(user: str, **priv) -> dict:
    return {"User": user, "Host": "%", "Priv": json.dumps(priv)}


def read(*rows: dict, version: int = 101100, mariadb: bool = True, **settings: str) -> list:
    reader = AccountReader(version, mariadb, settings)
    return list(reader.with_shared_passwords([reader.read(row, frozenset()) for row in rows]))


def test_equal_verifiers_are_marked_and_go_no_further():
    row = {"plugin": "mysql_native_password", "authentication_string": HASH}

    rows = read(
        json_row("a", **row),
        json_row("b", **row),
        json_row("c", plugin="ed25519", authentication_string=HASH),
    )

    assert [one.account.attributes.get("password_shared") for one in rows] == [True, True, None]
    assert HASH[1:] not in repr(rows)
    assert [one.verifiers for one in rows] == [(), (), ()]


def test_empty_passwords_are_not_the_same_password():
    rows = read(json_row("a", plugin=""), json_row("b", plugin=""))

    assert not any("password_shared" in one.account.attributes for one in rows)


def test_alternatives_of_mariadb_are_all_named():
    ways = [{}, {"plugin": "unix_socket", "authentication_string": ""}]

    (row,) = read(
        json_row("root", plugin="mysql_native_password", authentication_string=HASH, auth_or=ways)
    )

    assert row.account.attributes["plugin"] == "mysql_native_password or unix_socket"
    assert row.account.attributes["password"] == "native or socket"


def test_a_password_lives_as_long_as_the_server_lets_it():
    changed = datetime(2026, 1, 1, tzinfo=UTC)
    row = json_row(
        "a",
        plugin="mysql_native_password",
        authentication_string=HASH,
        password_last_changed=int(changed.timestamp()),
    )

    (by_default,) = read(row, default_password_lifetime="10")
    (never,) = read(row, default_password_lifetime="0")

    assert by_default.account.valid_until == datetime(2026, 1, 11, tzinfo=UTC)
    assert never.account.valid_until is None
    assert never.account.password_changed_at == changed


def mysql_row(**columns) -> dict:
    return {
        "User": "r",
        "Host": "%",
        "plugin": "caching_sha2_password",
        "authentication_string": "",
        "account_locked": "Y",
        "password_expired": "Y",
        **columns,
    }


@pytest.mark.parametrize(
    ("columns", "granted", "kind"),
    [
        ({}, frozenset(), "role"),
        ({"password_expired": "N"}, frozenset({"r@%"}), "role"),
        ({"password_expired": "N"}, frozenset(), "user"),
        ({"account_locked": "N"}, frozenset({"r@%"}), "user"),
        ({"authentication_string": "$A$005$abc"}, frozenset({"r@%"}), "user"),
    ],
)
def test_a_role_of_mysql_8_is_locked_and_has_no_password(columns, granted, kind):
    row = AccountReader(80400, False, {}).read(mysql_row(**columns), granted)

    assert row.account.kind == kind


def test_what_mysql_8_keeps_beside_the_columns_is_read():
    more = {
        "additional_password": "$A$005$secret",
        "Password_locking": {"failed_login_attempts": 3, "password_lock_time_days": 2},
        "Restrictions": [{"Database": "mysql", "Privileges": ["INSERT"]}],
    }

    row = AccountReader(80400, False, {}).read(
        mysql_row(User_attributes=json.dumps(more)), frozenset()
    )

    assert row.account.attributes["second_password"] is True
    assert row.account.attributes["failed_login_attempts"] == 3
    assert row.restrictions == {"mysql": ("INSERT",)}
    assert "secret" not in repr(row)


def test_a_column_of_a_later_version_reads_as_its_name():
    row = {"Select_priv": "Y", "Brew_coffee_priv": "Y", "Drop_priv": "N", "User": "a"}

    assert from_columns(row, 99999, mariadb=False) == ("SELECT", "BREW COFFEE")


def test_sets_read_like_privileges():
    assert from_set("Select,Create View,Grant,Delete versioning rows") == (
        "SELECT",
        "CREATE VIEW",
        "GRANT OPTION",
        "DELETE HISTORY",
    )
    assert from_set("") == ()


def test_replication_client_has_the_name_of_its_version():
    assert from_bits(1 << 20, 100400, 100400) == ("REPLICATION CLIENT",)
    assert "BINLOG MONITOR" in from_bits(1 << 20, 101100, 101100)


def test_everything_is_what_the_version_has():
    assert len(from_bits(2**64 - 1, 0, 100300)) == 30
    assert len(from_bits(2**64 - 1, 0, 101100)) == 39


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="`"), max_size=32)


@given(NAMES, NAMES)
def test_a_name_can_be_taken_apart_again(user, host):
    assert split_account(account_name(user, host)) == (user, host)


def test_names_never_collide():
    assert account_name("a@b", "c") != account_name("a", "b@c")


@given(NAMES)
def test_what_the_server_stored_as_latin_1_is_mended(name):
    try:
        stored = name.encode("utf-8").decode("cp1252")
    except UnicodeError:
        return
    assert mended(stored) == name


def test_a_name_that_was_stored_well_stays():
    assert mended("o'brien é") == "o'brien é"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("sal%", "sales", True),
        ("sal\\%", "sales", False),
        ("sal\\%", "sal%", True),
        ("a_b", "axb", True),
        ("a\\_b", "axb", False),
        ("a.b", "axb", False),
    ],
)
def test_patterns_match_like_sql(pattern, text, expected):
    assert like(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("%", "localhost", True),
        ("", "10.%", True),
        ("10.%", "10.1.%", True),
        ("10.1.%", "10.%", False),
        ("10.1.2._", "10.1.2.%", False),
        ("10.0.0.0/255.0.0.0", "10.1.0.0/255.255.0.0", True),
        ("10.0.0.0/255.0.0.0", "11.1.2.3", False),
        ("LOCALHOST", "localhost", True),
    ],
)
def test_a_wider_host_covers_a_narrower_one(pattern, host, expected):
    assert covers(pattern, host) is expected


def table(name: str, engine: str = "InnoDB", free: int = 0) -> TableSize:
    return TableSize("sales", name, engine, 100, 50, free, 1)


def test_partitions_count_for_their_table_and_left_overs_for_the_database():
    files = Files()
    for name, size in {"t#p#p0": 10, "t#p#p1": 10, "t#p#u": 7, "fts_0001": 3}.items():
        files.add("sales", name, size)

    tables = [table("t"), table("t#p#u")]

    assert files.per_table("sales", ["t", "t#p#u"]) == {"t": 20, "t#p#u": 7, "": 3}
    assert database_size("sales", tables, files) == 30


def test_free_space_counts_outside_innodb_only():
    tables = [table("shared", free=10_000), table("m", engine="MyISAM", free=5)]

    assert database_size("sales", tables, Files()) == 150 + 155
