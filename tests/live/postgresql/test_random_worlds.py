"""Random worlds: every right of every role, as stored, against what the server says of it.

`WHALEFALL_WORLDS=50` makes that many worlds on each server (`make fuzz-privileges`), from
`WHALEFALL_WORLDS_SEED` on; a failure names the seed and the statements that led to it.
"""

from __future__ import annotations

import os
from itertools import pairwise

import pytest

from accounts import tokens
from accounts.access import Access
from accounts.collection import apply
from accounts.models import AccountPermission
from tests.live.asked import Asked
from tests.live.postgresql import said
from tests.live.postgresql.world import DATABASES, World
from whalefall.engines import engine as get_engine
from whalefall.engines.observed import Scope
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db]

RULES = get_engine("postgresql").rules
MANY = "WHALEFALL_WORLDS" in os.environ
WORLDS = int(os.environ.get("WHALEFALL_WORLDS", "1"))
SEED = int(os.environ.get("WHALEFALL_WORLDS_SEED", "20261122"))
STEPS = 120
SAMPLE = 250 if MANY else 25
"""Questions to the page "who has", which are a query each."""


@pytest.mark.parametrize("seed", range(SEED, SEED + WORLDS))
def test_every_right_in_a_random_world_is_what_the_server_says(server, engine, target, seed):
    world = World(server, seed)
    instance = Instance.objects.create(
        name=f"world-{seed}", db_type="postgresql", host="world", port=1
    )
    try:
        world.build()
        for _ in range(2 if MANY else 1):
            for _ in range(STEPS):
                world.step()
            with engine.connect(target) as opened:
                apply(instance, opened.observe())
            wrong, compared = differences(server, instance, world)
            if wrong:
                told = [f"took: {each}" for each in world.done]
                told += [f"differs: {each}" for each in wrong[:20]]
                lines = "\n".join(told)
                pytest.fail(f"seed {seed}, {len(wrong)} differ:\n{lines}", pytrace=False)
            assert compared > 10_000
    finally:
        world.clean()


def differences(server, instance, world) -> tuple[list[object], int]:
    found = AccountPermission.objects.filter(instance=instance)
    rows = list(found.values_list("account__username", "fact_tokens", "permission_facts"))
    asked = Asked({name: words for name, words, _facts in rows}, RULES)
    answers = said.of_server(server)
    for database in DATABASES:
        answers += said.in_database(server, database)
    by_database = {name: said.roles(server, name) for name in said.databases(server)}
    wrong = [
        *of_rights(asked, answers),
        *of_reach(asked, answers, by_database),
        *of_roles(asked, by_database),
        *of_paths({name: facts for name, _words, facts in rows}, by_database),
        *of_pages(instance, answers, world.random),
    ]
    return wrong, len(answers) * 3


def of_rights(asked, answers):
    """What PUBLIC has, everybody has: it stands on PUBLIC only."""
    for role, privilege, scope, parts, holds, may_grant, owns in answers:
        mine = asked.may(role, privilege, scope, parts)
        everybodys = asked.may("public", privilege, scope, parts)
        if (mine or everybodys) != holds:
            yield role, privilege, scope.value, parts, f"server says {holds}"
        if asked.may_grant(role, privilege, scope, parts) != may_grant:
            yield role, privilege, scope.value, parts, "GRANT OPTION", f"server says {may_grant}"
        if owns is not None and asked.may(role, "OWNER", scope, parts) != owns:
            yield role, "OWNER", scope.value, parts, f"server says {owns}"


def of_reach(asked, answers, by_database):
    """With what a SET ROLE gives: whatever one of the roles that can be set has."""
    holders: dict[tuple, set[str]] = {}
    for role, privilege, scope, parts, holds, *_rest in answers:
        if holds:
            holders.setdefault((privilege, scope, parts), set()).add(role)
    for role, privilege, scope, parts, holds, *_rest in answers:
        if holds or role == "public":
            continue
        inside = parts[0] if scope not in (Scope.SERVER, Scope.TABLESPACE) else "postgres"
        settable = by_database.get(inside, by_database["postgres"])["SET"]
        has = any((role, other) in settable for other in holders.get((privilege, scope, parts), ()))
        if asked.may(role, privilege, scope, parts, reach=True) != has:
            yield role, privilege, scope.value, parts, f"SET ROLE says {has}"


def of_roles(asked, by_database):
    """pg_database_owner is a role of the database one is in: its rights were asked for above."""
    pairs = by_database["postgres"]
    superusers = {name for name, words in asked.tokens_of.items() if "cap:SUPERUSER" in words}
    for member, words in asked.tokens_of.items():
        # a superuser is in every role: so is, in the end, who can become one
        if member in superusers | {"public"} or "reach:cap:SUPERUSER" in words:
            continue
        for role in asked.tokens_of:
            if role in (member, "public", "pg_database_owner"):
                continue
            if (tokens.role(role) in words) != ((member, role) in pairs["USAGE"]):
                yield member, role, "USAGE"
            taken = {role} | {other for other in asked.tokens_of if (other, role) in pairs["USAGE"]}
            reached = any((member, step) in pairs["SET"] for step in taken)
            mine = tokens.role(role) in words or tokens.reach(tokens.role(role)) in words
            if mine != (reached or (member, role) in pairs["USAGE"]):
                yield member, role, "SET"


def of_paths(facts, by_database):
    """Each step of a path is a membership whose rights the server lets one use, too."""
    usage = {pair for pairs in by_database.values() for pair in pairs["USAGE"]}
    settable = {pair for pairs in by_database.values() for pair in pairs["SET"]}
    superusers = {name for name, known in facts.items() if "SUPERUSER" in known["capabilities"]}
    for name, known in facts.items():
        if name in superusers:
            continue
        for token, path in known["paths"].items():
            steps = [name, *path]
            pairs = pairwise(steps)
            if any(pair not in usage and pair[0] not in superusers for pair in pairs):
                yield name, token, path, "is no path"
        for token, way in known["reach"].get("paths", {}).items():
            if (name, way["set_role"]) not in settable:
                yield name, token, way, "cannot be set"


def of_pages(instance, answers, random):
    """The page "who has", by names as it shows them."""
    questions: dict[tuple, tuple[set[str], set[str]]] = {}
    for role, privilege, scope, parts, holds, _may_grant, owns in answers:
        if scope is not Scope.OTHER:
            has, may = questions.setdefault((privilege, scope, parts), (set(), set()))
            has.update([role] if holds else [])
            may.update([role] if holds or owns else [])
    for question in random.sample(sorted(questions), min(SAMPLE, len(questions))):
        privilege, scope, parts = question
        has, may = questions[question]
        page = Access(privilege, tokens.object_name(parts), scope=scope.value,
                      instances=Instance.objects.filter(pk=instance.pk))  # fmt: skip
        found = set(page.accounts().values_list("account__username", flat=True))
        everybody = "public" in found
        if found - may or (not everybody and has - found):
            yield question, "too many", found - may, "missing", has - found
