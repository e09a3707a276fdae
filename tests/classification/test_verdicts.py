"""The store and Python give the same verdict: the definition of the language, by property."""

import random
from datetime import timedelta

import pytest
from django.db.models import BooleanField, Case, Value, When
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tokens
from accounts.models import AccountPermission
from classification.dsl import verdicts
from classification.dsl.parser import parse
from classification.dsl.subject import Context, Subject
from tests.classification import cast
from tests.classification.cast import call, text
from whalefall.engines.base import Rules

pytestmark = pytest.mark.django_db

NOW = timezone.now()


class HostRules(Rules):
    accounts_have_host = True


CONTEXTS = [Context(HostRules(), NOW), Context(Rules(), NOW)]

NAMES = ["sales", "sal_s", "100%", 'we"ird', "a.b", "s@t", "", "sal\\", "sälés", "*"]
PATTERNS = [*NAMES, "sal%", "%", "s_les", "sal\\_s", "sal\\%", "a.%", "100\\%", "\\\\", '"%']
PRIVILEGES = ["SELECT", "UPDATE"]
SECTIONS = ["accounts", "global", "memberships", "database", "table"]


def words():
    """Every token that the expressions below may ask for, and near misses."""
    found = [tokens.capability(name) for name in ("SUPERUSER", "GRANT_ADMIN")]
    found += [tokens.role(name, direct) for name in ("dba", "ops") for direct in (True, False)]
    found += [tokens.role_admin("dba"), tokens.role_admin()]
    found += [tokens.trait("routine", "EXECUTE", "security_definer")]
    for privilege in PRIVILEGES:
        for write in (tokens.privilege, tokens.grantable):
            found += [write("global", privilege), write("database", privilege)]
            found += [write("database", privilege, (name,)) for name in NAMES]
            found += [write("tablespace", privilege, (name,)) for name in NAMES[:3]]
            found += [write("database", privilege, (name,), True) for name in PATTERNS]
            found += [write("table", privilege)]
            found += [write("table", privilege, (name, "orders")) for name in NAMES]
            found += [write("table", privilege, ("sales", name)) for name in NAMES]
    return found + [tokens.reach(word) for word in found]


WORDS = words()


def subject_tokens(dice: random.Random) -> list[str]:
    found = set(dice.sample(WORDS, dice.randint(0, 25)))
    # A token with its object never stands without the one that says "anywhere".
    found |= {_base(word) for word in found if "@" in word}
    found |= {word.partition("@")[0] for word in found if ".pattern:" in word}
    if dice.random() < 0.4:
        found.add(tokens.section(dice.choice(SECTIONS), dice.choice(["denied", "failed"])))
    if dice.random() < 0.3:
        unread = dice.sample(NAMES, dice.randint(1, 3))
        found.update(tokens.incomplete(dice.choice(SECTIONS), "failed", unread))
    return sorted(found)


def _base(word: str) -> str:
    return word.partition("@")[0].replace(".pattern:", ":")


def some_accounts(count: int) -> None:
    dice = random.Random(4711)
    orders = cast.instance()
    moments = [None, NOW - timedelta(days=400), NOW + timedelta(days=3), NOW]
    for i in range(count):
        name = dice.choice(["root", "app_rw", "", "we\\ird%", "o@o", "line\nbreak", "é"])
        cast.account(
            orders,
            f"{name}@{i}.{dice.choice(['%', 'localhost', '10.1.%'])}",
            *subject_tokens(dice),
            kind=dice.choice(["user", "role"]),
            is_locked=dice.choice([None, True, False]),
            can_login=dice.choice([None, True, False]),
            valid_until=dice.choice(moments),
            password_changed_at=dice.choice(moments),
            last_login_at=dice.choice(moments),
        )


REACH = st.sampled_from([{}, {"reach": "set_role"}, {"reach": "either"}])
PLACE = st.one_of(
    st.just({}),
    st.sampled_from([n for n in NAMES if n]).map(lambda n: {"database": n}),
    st.sampled_from(["sales.*", "*.orders", "sales.orders", "*", "s?les.orders", '"a.b".*']).map(
        lambda n: {"object": n}
    ),
    st.just({"database": "sales", "object": "or*"}),
    st.just({"database": "a.b", "object": "orders"}),
)
PLACED = st.builds(
    lambda name, scope, place, reach: {"name": name, "scope": scope, **place, **reach},
    st.sampled_from(PRIVILEGES),
    st.sampled_from(["global", "database", "tablespace", "table", "server"]),
    PLACE,
    REACH,
)


def several(args):
    return {**{k: v for k, v in args.items() if k != "name"}, "names": ["X", args["name"]]}


LEAVES = st.one_of(
    PLACED.map(lambda args: call("has_privilege", **args)),
    PLACED.map(lambda args: call("can_grant", **args)),
    PLACED.map(lambda args: call("has_any_privilege", **several(args))),
    st.builds(
        lambda name, reach: call("has_capability", name=name, **reach),
        st.sampled_from(["SUPERUSER", "GRANT_ADMIN"]),
        REACH,
    ),
    st.builds(
        lambda name, direct, reach: call("has_role", name=name, direct=direct, **reach),
        st.sampled_from(["dba", "ops", "DBA"]),
        st.booleans(),
        REACH,
    ),
    REACH.map(lambda reach: call("is_superuser", **reach)),
    REACH.map(lambda reach: call("can_grant_role", **reach)),
    REACH.map(lambda reach: call("can_grant_role", name="dba", **reach)),
    st.just(call("has_trait", name="EXECUTE", scope="routine", trait="security_definer")),
    st.sampled_from(["is_locked", "can_login", "valid_until_passed", "never_expires"]).map(call),
    st.sampled_from([0, 30, 365]).map(lambda days: call("password_older_than", days=days)),
    st.sampled_from([0, 30, 365]).map(lambda days: call("last_login_before", days=days)),
    st.sampled_from(["root", "*", "", "we\\ird%", "o@o", "?", "line*", "*@*", "é"]).map(
        lambda pattern: call("username_matches", pattern=pattern)
    ),
    st.sampled_from(["*%", "*.localhost", "", "?.%"]).map(
        lambda pattern: call("host_matches", pattern=pattern)
    ),
    st.just(call("db_type_in", types=["mysql"])),
    st.just(call("account_kind_in", kinds=["role"])),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda args: {"op": "AND", "args": args}),
        st.lists(inner, min_size=1, max_size=4).map(lambda args: {"op": "OR", "args": args}),
        inner.map(lambda arg: {"op": "NOT", "args": [arg]}),
    ),
    max_leaves=8,
)


def verdict_of(root, context):
    return Case(
        When(verdicts.true(root, context), then=Value(True)),
        When(verdicts.possible(root, context), then=Value(None)),
        default=Value(False),
        output_field=BooleanField(null=True),
    )


def by_store(roots, context):
    """For every account the verdicts of all these expressions, in one statement."""
    columns = {f"verdict_{i}": verdict_of(root, context) for i, root in enumerate(roots)}
    rows = AccountPermission.objects.annotate(**columns).values_list("id", *columns)
    return {pk: found for pk, *found in rows}


ACCOUNTS, TOGETHER, PAIRS = 200, 5, 20_000


def test_the_store_and_python_agree_on_every_verdict(monkeypatch):
    monkeypatch.setattr("classification.dsl.parser.engine_rules", lambda db_type: HostRules())
    some_accounts(ACCOUNTS)
    permissions = list(AccountPermission.objects.select_related("account"))
    subjects = {permission.pk: Subject.of(permission) for permission in permissions}
    # What hypothesis tries twice is one question: the expression, under an engine's rules.
    seen, asked = set(), set()

    @settings(
        max_examples=70, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(EXPRESSIONS, min_size=TOGETHER, max_size=TOGETHER), st.sampled_from(CONTEXTS))
    def agree(exprs, context):
        parsed = [parse(text(expr), "mysql") for expr in exprs]
        new = {(each.canonical(), context.rules): each.root for each in parsed}
        roots = [root for question, root in new.items() if question not in asked]
        found = {
            pk: [verdicts.evaluate(root, subject, context).verdict for root in roots]
            for pk, subject in subjects.items()
        }
        assert by_store(roots, context) == found
        asked.update(new)
        seen.update(verdict for each in found.values() for verdict in each)

    agree()
    assert seen == {True, False, None}
    assert len(asked) * len(subjects) >= PAIRS
