"""Two accounts side by side: who has what, how, and what nobody could read."""

from accounts import compare
from accounts.compare import Held, Side
from accounts.facts import Facts
from tests.accounts.world import PlainRules, account, denied, grant, member, observe, role


def side(name, *things, sections=(), **attributes):
    found = observe(account(name, **attributes), *things, sections=sections)
    of = Facts(found, PlainRules()).of(found.accounts[name])
    return Side(name, of.facts, of.snapshot)


def told(rows):
    return {(row.object, name): str(row.held) for row in rows for name in row.names}


def test_what_only_one_has_and_what_both_have():
    left = side("a", grant("a", "SELECT", "s.t"), grant("a", "UPDATE", "s.t"))
    right = side("b", grant("b", "SELECT", "s.t"), grant("b", "DELETE", "s.t"))
    assert told(compare.privileges(left, right)) == {
        ("s.t", "SELECT"): "same",
        ("s.t", "UPDATE"): "left",
        ("s.t", "DELETE"): "right",
    }


def test_who_may_give_it_on_has_it_differently():
    left = side("a", grant("a", "SELECT", "s.t", grantable=True))
    right = side("b", grant("b", "SELECT", "s.t"))
    (row,) = compare.privileges(left, right)
    assert (row.held, row.left.option, row.right.option) == ("different", "WITH GRANT OPTION", "")


def test_the_same_right_by_another_path_is_the_same():
    left = side("a", role("team"), member("a", "team"), grant("team", "SELECT", "s.t"))
    right = side("b", grant("b", "SELECT", "s.t"))
    (row,) = compare.privileges(left, right)
    assert (row.held, row.left.path, row.right.path) == ("same", ("team",), ())


def test_rights_that_compare_alike_share_a_row():
    grants = [grant("a", name, "s.t") for name in ("SELECT", "UPDATE")]
    (row,) = compare.privileges(side("a", *grants), side("b"))
    assert row.names == ["SELECT", "UPDATE"]


def test_what_the_other_side_could_not_read_is_unknown():
    left = side("a", grant("a", "SELECT", "s.t"), grant("a", "SUPER"))
    right = side("b", sections=[denied("table")])
    assert told(compare.privileges(left, right)) == {
        ("s.t", "SELECT"): "unknown",
        ("", "SUPER"): "left",
    }
    assert told(compare.catalog(left, right))[("s.t", "SELECT")] == "unknown"


def test_only_the_database_that_was_not_read_is_unknown():
    left = side("a", grant("a", "SELECT", "s.t"), grant("a", "SELECT", "x.y"))
    right = side("b", sections=[denied("table", databases={"s": "no"})])
    assert told(compare.privileges(left, right)) == {
        ("s.t", "SELECT"): "unknown",
        ("x.y", "SELECT"): "left",
    }


def test_the_catalog_is_compared_with_denials_and_memberships():
    left = side("a", grant("a", "SELECT", "s.t", state="deny"), member("a", "dba", admin=True))
    right = side("b", member("b", "dba"))
    assert told(compare.catalog(left, right)) == {
        ("s.t", "SELECT (deny)"): "left",
        ("dba", "MEMBER"): "different",
    }


def test_roles_and_capabilities_are_compared():
    left = side("a", role("dba"), member("a", "dba"), grant("dba", "SUPER"))
    right = side("b", role("dba"))
    assert told(compare.roles(left, right)) == {("", "dba"): "left"}
    (row,) = compare.capabilities(left, right)
    assert (row.names, row.held, row.left.path) == (["SUPERUSER"], "left", ("dba",))


def test_attributes_that_differ_come_first():
    left = side("a", is_locked=True, can_login=True)
    right = side("b", is_locked=False, can_login=True)
    first, *rest = compare.attributes(left, right)
    assert first == ("is locked", "different", "yes", "no")
    assert {value.held for value in rest} == {Held.SAME}


def test_an_account_is_the_same_as_itself():
    one = side("a", role("dba"), member("a", "dba"), grant("dba", "SUPER"), grant("a", "X", "s.t"))
    for rows in (compare.privileges, compare.catalog, compare.roles, compare.capabilities):
        assert compare.differing(rows(one, one)) == []


def test_the_summary_counts_names():
    left = side("a", grant("a", "SELECT", "s.t"), grant("a", "UPDATE", "s.t"))
    counts = compare.summary(compare.privileges(left, side("b")))
    assert counts == {"left": 2, "right": 0, "different": 0, "unknown": 0, "same": 0}
