import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import snapshot
from accounts.diff import diff, items
from tests.accounts.world import account, denied, grant, member, observe
from whalefall.engines.observed import GrantState


def snapshot_of(*things, sections=(), **values):
    one = account("a", **values)
    observation = observe(one, *things, sections=sections)
    return snapshot.build(
        "mysql",
        one,
        observation.grants_of("a"),
        observation.memberships,
        snapshot.sections_json(observation.sections),
    )


def privileges(before, after):
    return diff(snapshot_of(*before), snapshot_of(*after)).privilege_diff


def test_permissions_on_one_object_stand_in_one_entry():
    found = privileges([], [grant("a", name, "sales") for name in ("SELECT", "INSERT")])
    assert found == [
        {"action": "GRANT", "object": "database:sales", "permissions": ["INSERT", "SELECT"]}
    ]


def test_a_grant_option_that_comes_or_goes_is_an_alteration():
    plain, with_option = (
        grant("a", "SELECT", "sales"),
        grant("a", "SELECT", "sales", grantable=True),
    )
    (given_,) = privileges([plain], [with_option])
    assert given_["action"] == "ALTER"
    assert given_["permissions"] == ["SELECT WITH GRANT OPTION"]
    (taken,) = privileges([with_option], [plain])
    assert taken["permissions"] == ["SELECT"]


def test_a_membership_stands_as_an_object():
    found = privileges([], [member("a", "dba", admin=True, inherit=False)])
    assert found == [
        {
            "action": "GRANT",
            "object": "role:dba",
            "permissions": ["MEMBER WITH ADMIN OPTION WITHOUT INHERIT"],
        }
    ]


def test_two_grantors_of_one_privilege_are_one_privilege():
    by = [grant("a", "SELECT", "sales", grantor=name) for name in ("root", "dba")]
    assert privileges(by[:1], by) == []


def test_ownership_and_denials_are_told_apart_from_grants():
    owner = grant("a", "OWNER", "sales")
    refused = grant("a", "SELECT", "sales", state=GrantState.DENY)
    assert privileges([], [owner, refused]) == [
        {"action": "GRANT", "object": "database:sales", "permissions": ["OWNER", "SELECT (deny)"]}
    ]


def test_a_pattern_is_another_object_than_the_database_of_that_name():
    found = privileges([grant("a", "SELECT", "a%")], [grant("a", "SELECT", "a%", is_pattern=True)])
    assert [(each["action"], each["object"]) for each in found] == [
        ("GRANT", "database.pattern:a%"),
        ("REVOKE", "database:a%"),
    ]


def test_another_attribute_says_what_it_was_and_is():
    found = diff(
        snapshot_of(attributes={"ssl_type": "", "plugin": "sha2"}),
        snapshot_of(attributes={"ssl_type": "X509", "plugin": "sha2"}),
    )
    assert found.change_type == "modify_other"
    assert found.other_diff == [
        {
            "field": "ssl_type",
            "label": "ssl type",
            "before": "",
            "after": "X509",
            "description": "ssl type:  -> X509",
        }
    ]


def test_what_the_server_did_not_tell_is_no_difference():
    before = snapshot_of(attributes={"verifier": "md5"})
    after = snapshot_of(attributes={"verifier": None}, sections=[denied("global")])
    assert diff(before, after).change_type is None


def test_privileges_come_before_attributes_in_the_kind_of_change():
    found = diff(snapshot_of(), snapshot_of(grant("a", "SUPER"), is_locked=True))
    assert found.change_type == "modify_privilege"
    assert found.message == "GRANT SUPER on global; is locked: no -> yes"


def test_a_long_message_is_cut_and_says_so():
    many = [grant("a", "SELECT", f"db{number}") for number in range(9)]
    found = diff(snapshot_of(), snapshot_of(*many))
    assert found.message.endswith("GRANT SELECT on database:db2; and 6 more")


@pytest.mark.parametrize("blind", ["before", "after", "both"])
def test_a_section_that_was_never_read_on_one_side_is_no_difference(blind):
    table = grant("a", "SELECT", "sales.orders")
    missing = [denied("table")]
    before = snapshot_of(sections=missing if blind != "after" else ())
    after = snapshot_of(table, sections=missing if blind != "before" else ())
    assert diff(before, after).privilege_diff == []


def test_a_section_that_is_new_to_the_engine_is_no_difference():
    before, after = snapshot_of(), snapshot_of(grant("a", "SELECT", "sales.orders"))
    del before["sections"]["table"]
    assert diff(before, after).privilege_diff == []


grants = st.builds(
    grant,
    st.just("a"),
    st.sampled_from(["SELECT", "INSERT", "OWNER"]),
    st.sampled_from(["", "sales", "shop", "sales.orders"]),
    grantable=st.booleans(),
    grantor=st.sampled_from([None, "root"]),
)
memberships = st.builds(
    member,
    st.just("a"),
    st.sampled_from(["dba", "team"]),
    admin=st.booleans(),
    inherit=st.booleans(),
    grantor=st.sampled_from([None, "root"]),
)
snapshots = st.lists(st.one_of(grants, memberships), max_size=8)


def applied(held, changes):
    """`held` (object, permission) -> option, with the entries of a privilege_diff carried out."""
    found = dict(held)
    for entry in changes:
        for text in entry["permissions"]:
            name, mark, rest = text.partition(" WITH")
            key = (entry["object"], name)
            if entry["action"] == "REVOKE":
                del found[key]
                continue
            assert (key in found) == (entry["action"] == "ALTER")
            found[key] = mark + rest
    return found


def held(found):
    return {tuple(key): item.option for key, item in items(found).items()}


@given(snapshots)
def test_nothing_differs_from_itself(things):
    found = diff(snapshot_of(*things), snapshot_of(*things))
    assert (found.privilege_diff, found.other_diff, found.change_type) == ([], [], None)


@given(snapshots, snapshots)
def test_the_difference_carried_out_on_the_one_gives_the_other(before, after):
    one, two = snapshot_of(*before), snapshot_of(*after)
    assert applied(held(one), diff(one, two).privilege_diff) == held(two)


@given(snapshots, snapshots, st.randoms())
def test_the_order_of_reading_makes_no_difference(before, after, chance: random.Random):
    shuffled = list(after)
    chance.shuffle(shuffled)
    one, two = snapshot_of(*after), snapshot_of(*shuffled)
    assert snapshot.fingerprint(one) == snapshot.fingerprint(two)
    start = snapshot_of(*before)
    assert diff(start, one) == diff(start, two)
