"""Of several rows of the grant tables that match, the server uses one."""

from __future__ import annotations

import pytest

from accounts.facts import Facts
from tests.engines.mysql.cast import RULES, account, grant, observation
from tests.live.asked import Asked
from whalefall.engines.mysql.hosts import may_both_match
from whalefall.engines.mysql.lookup import as_mariadb, as_mysql
from whalefall.engines.observed import Kind, ObservedMembership, Scope

SALES, SALT = ("sales",), ("salt",)


def on(grantee, privilege, name):
    return grant(grantee, privilege, name, is_pattern="%" in name or "_" in name)


def asked(*found, names=("app@%",), vendor="MySQL", memberships=(), roles=()):
    accounts = [account(name) for name in names] + [account(name, Kind.ROLE) for name in roles]
    seen = observation(accounts, found, memberships, vendor=vendor)
    return Asked({each.username: each.tokens for each in Facts(seen, RULES)}, RULES)


def test_a_row_for_one_database_takes_all_that_a_pattern_gives_there():
    facts = asked(on("app@%", "SELECT", "sal%"), on("app@%", "INSERT", "sales"))
    assert not facts.may("app@%", "SELECT", Scope.DATABASE, SALES)
    assert facts.may("app@%", "INSERT", Scope.DATABASE, SALES)
    assert facts.may("app@%", "SELECT", Scope.DATABASE, SALT)
    assert "trait:database:SELECT:except:sales" in facts.tokens_of["app@%"]


def test_a_narrower_pattern_takes_all_that_a_wider_one_gives_where_it_matches():
    facts = asked(on("app@%", "SELECT", "s%"), on("app@%", "INSERT", "sale%"))
    assert not facts.may("app@%", "SELECT", Scope.DATABASE, SALES)
    assert facts.may("app@%", "SELECT", Scope.DATABASE, SALT)


def test_what_another_way_gives_after_all_is_no_exception():
    given = on("app@%", "SELECT", "sal%"), on("app@%", "INSERT", "sales")
    facts = asked(*given, on("reader", "SELECT", "s%"), vendor="MariaDB", roles=["reader"],
                  memberships=[ObservedMembership("app@%", "reader")])  # fmt: skip
    assert facts.may("app@%", "SELECT", Scope.DATABASE, SALES)


def test_with_an_active_role_mysql_takes_the_first_name_by_its_bytes():
    facts = asked(on("app@%", "SELECT", "sal_s"), on("reader@%", "INSERT", "s%"),
                  roles=["reader@%"],
                  memberships=[ObservedMembership("app@%", "reader@%")])  # fmt: skip
    assert facts.may("app@%", "INSERT", Scope.DATABASE, SALES)
    assert not facts.may("app@%", "SELECT", Scope.DATABASE, SALES)


def test_of_a_tables_rows_the_one_of_the_narrowest_host_counts():
    facts = asked(
        grant("app@%", "SELECT", "sales", "t"), grant("app@10.0.0.5", "INSERT", "sales", "t"),
        grant("app@%", "SELECT", "sales", "other"), names=("app@%", "app@10.0.0.5"),
    )  # fmt: skip
    assert not facts.may("app@10.0.0.5", "SELECT", Scope.TABLE, ("sales", "t"))
    assert facts.may("app@10.0.0.5", "SELECT", Scope.TABLE, ("sales", "other"))
    assert facts.may("app@%", "SELECT", Scope.TABLE, ("sales", "t"))


def test_rows_without_user_name_count_for_the_accounts_of_their_hosts():
    facts = asked(on("@10.%", "SELECT", "sales"), names=("app@10.0.0.5", "app@192.168.0.1"))
    assert facts.may("app@10.0.0.5", "SELECT", Scope.DATABASE, SALES)
    assert not facts.may("app@192.168.0.1", "SELECT", Scope.DATABASE, SALES)
    assert not facts.may("PUBLIC", "SELECT", Scope.DATABASE, SALES)


def test_a_row_without_user_name_for_one_database_hides_a_pattern():
    facts = asked(on("app@%", "SELECT", "sal%"), on("@%", "INSERT", "sales"))
    assert not facts.may("app@%", "SELECT", Scope.DATABASE, SALES)


def test_mariadb_lets_an_account_set_the_roles_of_its_namesakes_for_wider_hosts():
    facts = asked(on("reader", "SELECT", "sales"), names=("app@%", "app@10.0.0.5"),
                  vendor="MariaDB", roles=["reader"],
                  memberships=[ObservedMembership("app@%", "reader", default=False)])  # fmt: skip
    assert facts.may("app@10.0.0.5", "SELECT", Scope.DATABASE, SALES, reach=True)
    assert not facts.may("app@10.0.0.5", "SELECT", Scope.DATABASE, SALES)


@pytest.mark.parametrize("rank", [as_mysql, as_mariadb])
def test_names_are_ranked_from_narrow_to_wide(rank):
    names = ["sales", "sal\\_%", "sa%", "s%", "%"]
    ranks = [rank("database", name) for name in names]
    assert sorted(set(ranks)) == ranks


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("sal%", "%es", True), ("sal%", "shop%", False), ("a_c", "abc", True),
        ("a\\_c", "abc", False),
        ("%", "", True), ("_", "", False), ("a%b%c", "axxc", False), ("%a%", "%b%", True),
    ],
)  # fmt: skip
def test_patterns_that_can_match_the_same_name(one, other, meet):
    assert may_both_match(one, other) is meet
    assert may_both_match(other, one) is meet
