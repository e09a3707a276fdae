"""One database of a server cannot be read: what is unknown, and what is not."""

import pytest

from accounts import tokens
from classification.classify import classify
from classification.dsl import verdicts
from classification.dsl.base import engine_rules
from classification.dsl.subject import Context, Subject
from classification.models import AccountClassificationAssignment as Assignment
from tests.classification import cast
from tests.classification.cast import call

pytestmark = pytest.mark.django_db

IN_CLOSED = tokens.incomplete("table", "failed", ["closed"])


def update(**where):
    return call("has_privilege", name="UPDATE", scope="table", **where)


def verdict(expr, *words):
    account = cast.account(cast.instance("pg", "postgresql"), "app", *words)
    root, context = cast.parsed(expr, "postgresql").root, Context(engine_rules("postgresql"))
    return verdicts.evaluate(root, Subject.of(account), context)


@pytest.mark.parametrize(
    "where",
    [
        {"database": "sales"},
        {"database": "sales", "object": "public.*"},
        {"object": "sales.public.orders"},
    ],
    ids=["database", "objects in it", "object"],
)
def test_a_question_about_another_database_is_answered(where):
    assert verdict(update(**where), *IN_CLOSED).verdict is False


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"database": "closed"},
        {"object": "closed.public.orders"},
        {"object": "*.public.orders"},
        {"object": "orders"},
    ],
    ids=["anywhere", "database", "object", "pattern", "no database"],
)
def test_a_question_that_it_may_concern_is_not(where):
    found = verdict(update(**where), *IN_CLOSED)
    assert found.verdict is None
    assert found.missing[0].startswith("table")


def test_where_nothing_of_the_section_is_certain_no_database_is():
    assert verdict(update(database="sales"), "section.failed:table").verdict is None


def test_what_was_found_counts_whatever_was_not_read():
    words = ["priv:table:UPDATE", "priv:table:UPDATE@closed.public.orders", *IN_CLOSED]
    assert verdict(update(database="closed"), *words).verdict is True


def test_a_run_gives_what_is_certain_and_keeps_what_is_not():
    on = cast.instance("pg", "postgresql")
    app = cast.account(on, "app", "priv:table:UPDATE", "priv:table:UPDATE@closed.public.orders")
    for name in ("sales", "closed"):
        no = {"op": "NOT", "args": [update(database=name)]}
        cast.rule(f"not in {name}", cast.classification(name), no, "postgresql")
    classify()
    cast.retoken(app, *IN_CLOSED)
    unknown = {rule.name: rule.unknown for rule in classify().rules}
    assert unknown == {"not in sales": 0, "not in closed": 1}
    assert Assignment.objects.active().get().classification.name == "sales"
