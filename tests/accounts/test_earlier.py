from accounts import earlier, snapshot
from accounts.earlier import Stored
from tests.accounts.world import account, denied, grant, member, observe
from whalefall.engines.observed import Section

TABLE = grant("a", "UPDATE", "sales.orders")


def stored(*things, sections=(), **values):
    """What a snapshot of account `a` with these grants says, stored earlier."""
    one = account("a", **values)
    found = observe(one, *things, sections=sections)
    kept = snapshot.build(
        "mysql",
        one,
        found.grants_of("a"),
        found.memberships,
        snapshot.sections_json(found.sections),
    )
    categories = kept["categories"]
    return Stored(
        "a",
        kept["sections"],
        categories["attributes"],
        kept["type_specific"],
        categories["grants"] + categories["owns"],
        categories["memberships"],
    )


def test_grants_of_a_section_that_cannot_be_read_are_taken_over():
    now = observe(account("a"), sections=[denied("table")])
    sections = earlier.take_over(now, [stored(TABLE)])
    assert now.grants_of("a") == [TABLE]
    assert sections["a"]["table"]["content"] == "earlier"


def test_grants_of_a_section_that_was_read_are_not():
    now = observe(account("a"), sections=[denied("routine")])
    earlier.take_over(now, [stored(TABLE)])
    assert now.grants_of("a") == ()


def test_a_grant_that_is_seen_nevertheless_stands_once():
    seen = grant("a", "UPDATE", "sales.orders", source="information_schema")
    now = observe(account("a"), seen, sections=[denied("table")])
    earlier.take_over(now, [stored(TABLE)])
    assert now.grants_of("a") == [seen]


def test_what_was_never_read_stays_unknown():
    now = observe(account("a"), sections=[denied("table")])
    sections = earlier.take_over(now, [stored(sections=[denied("table")])])
    assert sections["a"]["table"]["content"] == "none"


def test_what_is_from_earlier_stays_known_however_often_it_is_missed():
    first = observe(account("a"), sections=[denied("table")])
    once = earlier.take_over(first, [stored(TABLE)])["a"]
    again = observe(account("a"), sections=[denied("table")])
    kept = stored(TABLE)._replace(sections=once)
    assert earlier.take_over(again, [kept])["a"] == once
    assert again.grants_of("a") == [TABLE]


def test_a_database_that_was_never_read_stays_unknown_when_all_of_the_section_fails():
    partly = denied("table", databases={"hr": "permission denied for database hr"})
    now = observe(account("a"), sections=[denied("table")])
    found = earlier.take_over(now, [stored(TABLE, sections=[partly])])["a"]
    assert snapshot.is_known(found, "table", "sales")
    assert not snapshot.is_known(found, "table", "hr")


def test_of_one_database_only_its_own_grants_are_taken_over():
    partly = denied("table", databases={"sales": "permission denied for database sales"})
    now = observe(account("a"), sections=[partly])
    earlier.take_over(now, [stored(TABLE, grant("a", "UPDATE", "shop.carts"))])
    assert now.grants_of("a") == [TABLE]


def test_memberships_are_taken_over_with_their_options():
    joined = member("a", "dba", admin=True, inherit=False)
    now = observe(account("a"), sections=[denied("memberships")])
    earlier.take_over(now, [stored(joined)])
    assert now.memberships == [joined]


def test_an_attribute_that_the_server_did_not_tell_keeps_its_value():
    now = observe(account("a", attributes={"password": None}), sections=[denied("passwords")])
    earlier.take_over(
        now, [stored(attributes={"password": "md5"}, sections=[Section("passwords")])]
    )
    assert now.accounts["a"].attributes == {"password": "md5"}


def test_a_new_account_has_nothing_earlier():
    now = observe(account("new"), sections=[denied("table")])
    assert earlier.take_over(now, [stored(TABLE)]) == {}
    assert now.grants_of("new") == ()
