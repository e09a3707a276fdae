"""Where the planner takes tables for empty that are not (they were, when it last looked at them),
a run still goes through no table for every account: counted by the rows that each plan touches.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classification import estimates, risks, statements, weighing
from classification.classify import classify
from classification.models import AccountClassification, ClassificationRule
from classification.models import AccountClassificationAssignment as Assignment
from tests.classification import cast
from tests.classification.cast import call

pytestmark = pytest.mark.django_db

ACCOUNTS, TOUCHED = 3000, 1000
TABLES = ("account_classification_assignments", "account_risks", "accepted_assignments")

ASSIGN = """
    INSERT INTO account_classification_assignments (account_id, classification_id,
        assignment_type, evidence, is_active, is_dismissed, assigned_at)
    SELECT n, %s, 'auto', '{"rules": []}', true, false, now()
    FROM generate_series(990000001, 990000000 + %s) n
"""
RISKS = """
    INSERT INTO account_risks (permission_id, level)
    SELECT account_id, 1 FROM account_classification_assignments
"""
TOUCH = "INSERT INTO run_touched SELECT 990000000 + n FROM generate_series(1, %s) n"


@pytest.fixture
def cursor():
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        yield cursor


@pytest.fixture
def deceived(cursor):
    """Filled, emptied, looked at, filled again."""
    gives = cast.classification(risk_level="critical")
    for fill in (True, False, True):
        if fill:
            cursor.execute(ASSIGN, (gives.pk, ACCOUNTS))
            cursor.execute(RISKS)
        else:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"ANALYZE {table}")
    assert max(estimates.estimated(cursor)) < 10
    return cursor


def touched(cursor, text, values):
    """Rows that the nodes of the plan give and throw away, as often as they are asked."""
    cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}", values)
    return rows_of(cursor.fetchone()[0][0]["Plan"])


def rows_of(node):
    thrown = [node.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Join Filter")]
    own = (node["Actual Rows"] + sum(thrown)) * node["Actual Loops"]
    return own + sum(rows_of(each) for each in node.get("Plans", ()))


@pytest.mark.parametrize("text", ["ACCEPT", "WEIGH", "WEIGH_NEW"])
def test_weighing_goes_from_the_accounts_by_index(deceived, text):
    deceived.execute(statements.TABLES)
    deceived.execute(TOUCH, (TOUCHED,))
    deceived.execute("ANALYZE run_touched (account_id)")
    estimates.mend(deceived)
    values = {"today": risks.today(), "levels": list(risks.LEVELS)}
    scope = weighing.OF_RUN if text == "ACCEPT" else weighing.OF_RUN_KNOWN
    statement = getattr(weighing, text).format(scope=scope)
    assert touched(deceived, statement, values) < 20 * (TOUCHED + ACCOUNTS)


def test_a_run_tells_the_planner_of_what_it_did_not_know(deceived):
    cast.account(cast.instance(), "dba@%", "cap:SUPERUSER")
    gives = AccountClassification.objects.get()
    cast.rule("superusers", gives, call("is_superuser"))
    assert classify().added == 1
    assert estimates.estimated(deceived)[0] > ACCOUNTS / 2


def test_a_run_looks_at_the_table_only_where_that_is_needed(cursor):
    gives = cast.classification()
    on = cast.instance()
    for i in range(30):
        cast.account(on, f"dba{i}@%", "cap:SUPERUSER")
    rule = cast.rule("superusers", gives, call("is_superuser"))
    classify()
    for table in TABLES:
        cursor.execute(f"ANALYZE {table}")
    ClassificationRule.objects.filter(pk=rule.pk).update(
        rule_expression=cast.text(call("is_locked"))
    )
    with CaptureQueriesContext(connection) as queries:
        classify()
    assert not [query for query in queries if "ANALYZE account" in query["sql"]]
    assert not Assignment.objects.active().exists()
