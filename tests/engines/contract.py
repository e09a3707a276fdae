"""What every engine promises, asked of all of them with the same words: subclasses name a world.

The engine is asked through its own door and the facts are worked out as in a sync; the world alone
knows how a product spells things.
"""

from __future__ import annotations

import itertools
import socket
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

import whalefall.engines
from accounts import tokens
from accounts.facts import AccountFacts, Facts
from classification.dsl import verdicts
from classification.dsl.parser import parse
from classification.dsl.subject import Subject
from classification.questions import Question
from classification.rulepack import packs
from sync.verification import Ours, compare
from tests.engines.worlds import TABLE, World
from whalefall.engines.base import COLLECTOR
from whalefall.engines.errors import ConnectError, EngineError, LoginRefused
from whalefall.engines.observed import Kind, Observation, Scope, SectionStatus
from whalefall.engines.testimony import Answer

AWKWARD = (
    "O'Neil", "50%", "a_b", "me@host", "two words", "smile 😀", 'quo"te', "br]ack[et", "back`tick",
    "dots.in.it", "semi;colon--", "{curly} $1 %s", "MiXed", "ünïcödé", "back\\slash",
    "x" * 32, "y" * 63, "z" * 128,
)  # fmt: skip
DEEP = tuple(f"deep{number}" for number in range(10))
ENGINES = str(Path(whalefall.engines.__file__).parent / "*")


class Seen:
    """One reading of a world, asked as the product's pages ask."""

    def __init__(self, world: World, observation: Observation) -> None:
        self.world, self.observation = world, observation
        self.rules = world.engine.rules
        self.ours = Ours(observation, self.rules)
        self.facts = Facts(observation, self.rules)

    def of(self, name: str) -> AccountFacts:
        return self.facts.of(self.observation.accounts[self.world.username(name)])

    def may(self, name: str, privilege: str, table: str = TABLE) -> bool:
        parts = self.world.parts(table)
        account = self.world.username(name)
        return self.ours.holds(Answer(account, True, "", privilege, Scope.TABLE, parts))


def read(world: World, target=None) -> Seen:
    with world.engine.connect(target or world.target()) as opened:
        return Seen(world, opened.observe())


class EngineContract:
    world_class: ClassVar[type[World]]

    # Roles

    def test_a_right_reaches_through_nested_roles_with_its_path(self, world, seen):
        assert seen.may("app", "SELECT")
        token = tokens.privilege(Scope.TABLE, "SELECT", world.parts(TABLE))
        assert seen.of("app").facts["paths"][token] == world.path("app", "writer", "reader")

    def test_what_nobody_gave_is_not_there(self, seen):
        assert not seen.may("app", "DELETE")
        assert not seen.may("nobody", "SELECT")

    def test_roles_ten_deep_are_walked_to_the_end(self, seen):
        assert seen.may("diver", "UPDATE")
        held = seen.of("diver").facts["roles"]
        assert {seen.world.role_name(role) for role in DEEP} <= set(held)

    def test_a_role_is_no_person(self, world, seen):
        role = seen.observation.accounts[world.role_name("reader")]
        assert role.kind is not Kind.USER
        assert not role.can_login
        assert not role.is_locked

    def test_the_right_to_give_a_role_on_is_told(self, world, seen):
        if not world.has_admin_option:
            pytest.skip("roles are given on by who owns or may alter them")
        assert tokens.role_admin(world.role_name("writer")) in seen.of("chief").tokens
        assert tokens.role_admin(world.role_name("writer")) not in seen.of("app").tokens

    # Rights and states

    def test_the_grant_option_is_told(self, world, seen):
        token = tokens.grantable(Scope.TABLE, "UPDATE", world.parts(TABLE))
        assert token in seen.of("chief").tokens
        assert token not in seen.of("app").tokens

    def test_a_locked_account_is_locked_and_no_other(self, seen):
        locked = {name for name in ("app", "shut", "stale", "chief") if _locked(seen.of(name))}
        assert locked == {"shut"}

    def test_an_expired_password_is_told_apart_from_a_lock(self, seen):
        expired = {name for name in ("app", "shut", "stale", "chief") if _expired(seen.of(name))}
        assert expired == {"stale"}

    def test_a_revoked_right_is_gone_with_the_next_reading(self, world):
        world.person("brief")
        world.grant("SELECT", TABLE, to="brief")
        assert read(world).may("brief", "SELECT")
        world.revoke("SELECT", TABLE, of="brief")
        assert not read(world).may("brief", "SELECT")

    def test_two_readings_of_the_same_are_the_same(self, world):
        first, second = read(world), read(world)
        prints = [
            {each.username: (each.snapshot_fingerprint, each.facts_fingerprint) for each in s.facts}
            for s in (first, second)
        ]
        assert prints[0] == prints[1]

    # Names

    @pytest.mark.parametrize("name", AWKWARD, ids=lambda name: name[:12])
    def test_awkward_names_of_people_and_tables_are_what_they_are(self, world, seen, name):
        if not world.takes(name):
            pytest.skip("the product takes no such name")
        assert world.username(name) in seen.observation.accounts
        assert seen.may(name, "SELECT", name)
        assert not seen.may("app", "SELECT", name)
        assert not seen.may(name, "SELECT")

    # What cannot be read

    def test_the_shipped_collector_reads_the_same_rights(self, world, seen):
        mine = read(world, world.collector())
        for name in ("app", "diver", "chief", "shut"):
            ours, theirs = (
                {token for token in each.of(name).tokens if token.startswith("priv:")}
                for each in (seen, mine)
            )
            assert ours == theirs

        collector = mine.observation.settings[COLLECTOR]
        assert verdicts_of("GX-10", mine, collector) == {"": False, "OWN": True}
        assert "cap:COLLECTOR" not in mine.of("app").tokens

    def test_what_may_not_be_read_is_denied_and_not_none(self, world):
        target, name = world.blinded()
        blind = read(world, target)
        section = blind.observation.sections[name]
        assert section.status is SectionStatus.DENIED
        assert section.message
        # Where it is of single databases only, the facts say so.
        gaps = {tokens.section(name, "denied"), tokens.unread(name)}
        assert gaps & set(blind.of("app").tokens)
        assert blind.observation.sections["accounts"].is_complete

        world.mend(section.remedy)
        mended = read(world, target)
        assert mended.observation.sections[name].is_complete
        assert mended.may("app", "SELECT")

    # The server's own words

    def test_nothing_differs_from_what_the_server_says_itself(self, world):
        with world.engine.connect(world.target()) as opened:
            observation = opened.observe()
            said = opened.testify(observation, sorted(observation.accounts)[:30], 5)
            found = compare(observation, world.engine.rules, said)
        assert found.differences == []
        assert found.compared > 50

    # Bad listeners

    def test_a_silent_listener_is_given_up(self, world):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            target = replace(world.target(), port=silent.getsockname()[1], connect_timeout=1)
            with pytest.raises(ConnectError, match=r"(no|not) answer within [12] s"):
                read(world, target)

    def test_a_closed_port_says_so_with_a_remedy(self, world):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(ConnectError) as caught:
            read(world, replace(world.target(), port=port))
        assert caught.value.remedy

    def test_a_wrong_password_is_refused_and_not_repeated(self, world):
        with pytest.raises(LoginRefused) as caught:
            read(world, replace(world.target(), password="gu3ss-me"))
        assert "gu3ss-me" not in f"{caught.value} {caught.value.remedy}"
        assert isinstance(caught.value, EngineError)

    # Size: last, since the crowd stays

    def test_five_thousand_accounts_cost_no_statement_more_and_no_row_is_kept(self, world):
        (before, _), _ = counted(world), world.crowd(5000)
        after, names = counted(world)
        assert after == before
        assert {world.username(f"crowd{number}") for number in range(5000)} <= names
        kept, grants = held_while_reading(world)
        assert grants > 5000
        assert kept < 500_000, f"{kept} bytes more than at the beginning"


def verdicts_of(begin: str, seen: Seen, username: str) -> dict[str, bool | None]:
    """What the shipped rules say of an account: GX-10-MY as "", GX-10-MY-OWN as "OWN"."""
    tokens_ = frozenset(seen.facts.of(seen.observation.accounts[username]).tokens)
    account = Subject(seen.world.db_type, username, tokens_)
    found = {}
    for rule in (rule for pack in packs() for rule in pack.rules):
        if rule.db_type == seen.world.db_type and rule.id.startswith(begin):
            question = Question.of(parse(rule.expression, rule.db_type))
            verdict = verdicts.evaluate(question.expression.root, account, question.context).verdict
            found["-".join(rule.id.split("-")[3:])] = verdict
    return found


def build(world: World) -> None:
    """app is in writer, which is in reader; chief may give on; shut and stale may not come in."""
    world.make()
    for role in ("reader", "writer", *DEEP):
        world.role(role)
    world.put("reader", "writer", to_role=True)
    for name, state in (("app", ""), ("chief", ""), ("nobody", ""), ("diver", ""),
                        ("shut", "locked"), ("stale", "expired")):  # fmt: skip
        world.person(name, state)
    world.put("writer", "app")
    world.put("writer", "chief", admin=world.has_admin_option)
    world.grant("SELECT", TABLE, to="reader", to_role=True)
    world.grant("UPDATE", TABLE, to="chief", option=True)
    for outer, inner in itertools.pairwise(DEEP):
        world.put(inner, outer, to_role=True)
    world.put(DEEP[0], "diver")
    world.grant("UPDATE", TABLE, to=DEEP[-1], to_role=True)
    for name in filter(world.takes, AWKWARD):
        world.person(name)
        world.table(name)
        world.grant("SELECT", name, to=name)


def counted(world: World) -> tuple[int, set[str]]:
    """How many statements one reading takes, and who was found."""
    with world.engine.connect(world.target()) as opened:
        before = opened.statements
        found = opened.observe()
        return opened.statements - before, set(found.accounts)


def held_while_reading(world: World) -> tuple[int, int]:
    """By how much the engine's own memory grows from one tenth of the grants to the last of them,
    none of which is kept here; and how many there were.
    """
    with world.engine.connect(world.target()) as opened:
        for _ in opened.observe_accounts():
            pass
        for _ in opened.observe_memberships():
            pass
        tracemalloc.start()
        try:
            sizes, count = [], 0
            for count, _ in enumerate(opened.observe_grants(), 1):
                if count in (500, 5000):
                    sizes.append(_engines_memory())
        finally:
            tracemalloc.stop()
    return sizes[1] - sizes[0], count


def _engines_memory() -> int:
    found = tracemalloc.take_snapshot().filter_traces((tracemalloc.Filter(True, ENGINES),))
    return sum(each.size for each in found.statistics("filename"))


def _locked(facts: AccountFacts) -> bool:
    return bool(facts.columns["is_locked"]) and "LOCKED" in facts.facts["capabilities"]


def _expired(facts: AccountFacts) -> bool:
    until = facts.columns["valid_until"]
    passed = isinstance(until, datetime) and until < datetime.now(UTC)
    return "PASSWORD_EXPIRED" in facts.facts["capabilities"] or passed
