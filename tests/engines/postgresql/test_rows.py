"""Rows as values."""

from __future__ import annotations

import pytest

from whalefall.engines import engine
from whalefall.engines.postgresql import hba, rows
from whalefall.engines.postgresql.names import quoted

ROW = (True, None, False, True, False, False, False, False, -1, "scram", None, None)


def test_roles_with_equal_attributes_share_them():
    account = rows.Accounts()
    one, two = account(("one", *ROW)), account(("two", *ROW))
    assert one.attributes is two.attributes


def test_the_value_of_a_setting_of_ones_own_is_kept_back():
    row = (*ROW[:-2], ["shop: my.token=abc", "shop: work_mem=64MB"], None)
    account = rows.Accounts()(("app", *row))
    assert account.attributes["settings"] == ["shop: my.token=...", "shop: work_mem=64MB"]


def test_a_superuser_is_not_locked_by_a_connection_limit():
    assert not rows.Accounts()(("a", True, None, True, *ROW[3:8], 0, None, None, None)).is_locked
    assert rows.Accounts()(("a", True, None, False, *ROW[3:8], 0, None, None, None)).is_locked


def test_netmasks_become_bits_and_lines_in_error_are_left_out():
    text = hba.as_text(
        [
            ("host", ["all"], ["all"], "10.0.0.0", "255.0.0.0", "md5", None),
            ("host", ["all"], ["all"], "fe80::", "ffff:ffff::", "md5", None),
            ("host", ["all"], ["all"], None, None, None, "invalid"),
        ]
    )
    assert [line.address for line in hba.lines(text)] == ["10.0.0.0/8", "fe80::/32"]


def test_identifiers_are_quoted():
    assert quoted('we"ird') == '"we""ird"'


@pytest.mark.parametrize("version", ["", "15", "15.18 (Debian 15.18-0+deb12u1)", "19beta1"])
def test_the_collectors_script_is_for_any_version_and_quotes_the_login(version):
    script = engine("postgresql").collector_grants("we\"ird'", version)
    assert 'GRANT pg_read_all_stats TO "we""ird\'";' in script
    assert "format('GRANT CONNECT ON DATABASE %I TO %I', name, 'we\"ird''')" in script
