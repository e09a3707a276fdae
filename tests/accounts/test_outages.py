"""Over any run of readings, complete or not, what is stored and logged stays true."""

from hypothesis import given
from hypothesis import strategies as st

from accounts import earlier, snapshot
from accounts.diff import diff, items
from accounts.earlier import Stored
from accounts.facts import Facts
from tests.accounts.world import PlainRules, account, denied, grant, member, observe

TABLES = [grant("a", name, on) for name in ("SELECT", "UPDATE") for on in ("s.t", "x.y")]
GLOBAL = [grant("a", name) for name in ("SUPER", "FILE")]
ROLES = [member("a", name) for name in ("dba", "team")]
OF_SECTION = {"table": TABLES, "global": GLOBAL, "memberships": ROLES}

readings = st.lists(
    st.tuples(
        st.sets(st.sampled_from([*range(8)])),
        st.sets(st.sampled_from(list(OF_SECTION))),
    ),
    min_size=1,
    max_size=6,
)
EVERYTHING = [*TABLES, *GLOBAL, *ROLES]


def read(there, blind, before):
    """One sync of account `a`: what the server holds, less the sections that cannot be read."""
    hidden = [thing for name in blind for thing in OF_SECTION[name]]
    seen = [thing for thing in there if thing not in hidden]
    found = observe(account("a"), *seen, sections=map(denied, blind))
    sections = earlier.take_over(found, [stored(before)]) if before and blind else {}
    return Facts(found, PlainRules(), sections).of(found.accounts["a"])


def stored(found):
    categories = found["categories"]
    return Stored(
        "a",
        found["sections"],
        categories["attributes"],
        found["type_specific"],
        categories["grants"] + categories["owns"],
        categories["memberships"],
    )


def of_section(found, name):
    return {key for key, item in items(found).items() if item.section == name}


def known(there, name):
    built = observe(account("a"), *(thing for thing in there if thing in OF_SECTION[name]))
    return of_section(Facts(built, PlainRules()).of(built.accounts["a"]).snapshot, name)


@given(readings)
def test_every_section_holds_what_its_last_complete_reading_said(readings):
    before, last = None, {}
    for numbers, blind in readings:
        there = [EVERYTHING[number] for number in sorted(numbers)]
        last |= {name: known(there, name) for name in OF_SECTION if name not in blind}
        before = read(there, blind, before).snapshot
        for name in OF_SECTION:
            assert of_section(before, name) == last.get(name, set())


@given(readings)
def test_the_log_adds_up_to_what_the_readings_said(readings):
    before, logged, first = None, {}, {}
    for numbers, blind in readings:
        there = [EVERYTHING[number] for number in sorted(numbers)]
        after = read(there, blind, before).snapshot
        for name in OF_SECTION.keys() - blind - first.keys():
            first[name] = known(there, name)  # the first reading of a section is no change
        for entry in diff(before, after).privilege_diff if before else ():
            for permission in entry["permissions"]:
                key = (entry["object"], permission)
                logged[key] = logged.get(key, 0) + (1 if entry["action"] == "GRANT" else -1)
        before = after
    for name, start in first.items():
        end = of_section(before, name)
        for key in map(tuple, start | end):
            assert logged.pop(key, 0) == (key in end) - (key in start)
    assert not any(logged.values())


@given(st.sets(st.sampled_from(range(8))), st.sets(st.sampled_from(list(OF_SECTION))))
def test_facts_follow_from_the_snapshot_alone(numbers, blind):
    there = [EVERYTHING[number] for number in sorted(numbers)]
    once = read(there, blind, None)
    entries = once.snapshot["categories"]
    rebuilt = observe(
        account("a"),
        *(snapshot.grant(entry, "a") for entry in entries["grants"] + entries["owns"]),
        *(snapshot.membership(entry, "a") for entry in entries["memberships"]),
        sections=map(denied, blind),
    )
    again = Facts(rebuilt, PlainRules()).of(rebuilt.accounts["a"])
    assert again.facts == once.facts
    assert again.snapshot_fingerprint == once.snapshot_fingerprint
