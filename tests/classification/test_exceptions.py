"""A person accepts a risk for a while; it counts again by itself."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classification import expiry, risks
from classification.classify import classify
from classification.models import (
    AccountClassificationAssignment,
    AccountRisk,
    RiskException,
    RiskLevel,
)
from tests.classification.cast import account, call, classification, instance, retoken, rule
from whalefall.models import AuditEntry

pytestmark = pytest.mark.django_db

SUPERUSER = call("is_superuser")
FILE = call("has_capability", name="FILE_ACCESS")


@pytest.fixture
def orders():
    return instance()


@pytest.fixture
def root(orders):
    return account(orders, "root@%", "cap:SUPERUSER", is_superuser=True)


@pytest.fixture
def super_admin(root):
    found = classification(risk_level="critical")
    rule("superusers", found, SUPERUSER)
    classify()
    return found


def accept(**fields):
    given = {"reason": "needed for the move", "approver": "Li", "ends_on": risks.today()}
    made = RiskException(**(given | fields))
    made.full_clean()
    made.save()
    return made


@pytest.fixture
def days_later(monkeypatch):
    """Puts the clock forward."""
    now = timezone.now()

    def go(days):
        monkeypatch.setattr("django.utils.timezone.now", lambda: now + timedelta(days=days))

    return go


def level(permission):
    risks.settle()
    risk = AccountRisk.objects.filter(pk=permission.pk).first()
    return risk and (RiskLevel.of_rank(risk.level) or "accepted")


def test_an_account_has_the_highest_risk_of_what_it_has(root, super_admin):
    rule("readers", classification("reader", risk_level="low"), SUPERUSER)
    classify()
    assert level(root) == "critical"


def test_an_account_without_a_classification_has_no_risk(root, super_admin):
    retoken(root)
    classify()
    assert level(root) is None


def test_an_account_that_is_gone_has_no_risk(root, super_admin):
    root.account.is_active = False
    root.account.save()
    account(root.instance, "app@%")
    classify()
    assert level(root) is None


def test_an_account_follows_the_risk_of_its_classification(root, super_admin):
    super_admin.risk_level = "medium"
    super_admin.save()
    assert level(root) == "medium"


def test_a_classification_by_hand_counts_at_once_and_until_it_ends(root):
    given = AccountClassificationAssignment.objects.assign(
        root, classification(risk_level="high"), None
    )
    assert level(root) == "high"
    given.deactivate(None)
    assert level(root) is None


def test_what_is_accepted_stays_visible_and_is_no_risk(root, super_admin):
    made = accept(account=root.account, classification=super_admin)
    assignment = root.assignments.get()
    assert (level(root), assignment.is_active) == ("accepted", True)
    assert assignment.accepted.exception == made


def test_the_other_risks_of_the_account_still_count(root, super_admin):
    rule("files", classification("file", risk_level="low"), FILE)
    retoken(root, "cap:SUPERUSER", "cap:FILE_ACCESS")
    accept(account=root.account, classification=super_admin)
    classify()
    assert level(root) == "low"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("root@*", "accepted"), ("r??t@%", "accepted"), ("root", "critical"), ("root@_", "critical")],
)
def test_a_pattern_covers_the_names_that_it_matches(root, super_admin, pattern, expected):
    accept(username_pattern=pattern, classification=super_admin)
    assert level(root) == expected


def test_a_pattern_can_be_held_to_one_instance(root, super_admin):
    other = account(instance("stock-db"), "root@%", "cap:SUPERUSER", is_superuser=True)
    accept(username_pattern="root@*", instance=root.instance, classification=super_admin)
    classify()
    assert (level(root), level(other)) == ("accepted", "critical")


def test_a_pattern_covers_accounts_that_come_later(orders, root, super_admin):
    accept(username_pattern="backup_*", classification=super_admin)
    late = account(orders, "backup_1@%", "cap:SUPERUSER", is_superuser=True)
    classify()
    assert (level(root), level(late)) == ("critical", "accepted")


def test_an_accepted_rule_leaves_what_another_rule_finds(root, super_admin):
    files = rule("files", super_admin, FILE)
    retoken(root, "cap:SUPERUSER", "cap:FILE_ACCESS")
    classify()
    accept(account=root.account, rule=files)
    assert level(root) == "critical"
    accept(account=root.account, rule=super_admin.rules.get(rule_name="superusers"))
    assert level(root) == "accepted"


def test_a_new_finding_of_another_rule_ends_the_acceptance_of_one(root, super_admin):
    accept(account=root.account, rule=super_admin.rules.get())
    assert level(root) == "accepted"
    rule("files", super_admin, FILE)
    retoken(root, "cap:SUPERUSER", "cap:FILE_ACCESS")
    classify()
    assert level(root) == "critical"


def test_a_risk_returns_by_the_clock_alone(root, super_admin, days_later):
    made = accept(account=root.account, classification=super_admin)
    days_later(1)
    assert root.assignments.get().accepted is None
    assert (made.state, level(root)) == ("expired", "critical")


def test_the_longest_of_several_exceptions_decides(root, super_admin, days_later):
    accept(account=root.account, classification=super_admin)
    accept(
        username_pattern="*", classification=super_admin, ends_on=risks.today() + timedelta(days=9)
    )
    days_later(9)
    assert level(root) == "accepted"
    days_later(10)
    assert level(root) == "critical"


def test_a_person_ends_an_exception_at_once_and_only_once(root, super_admin, django_user_model):
    vera = django_user_model.objects.create_user("vera")
    made = accept(account=root.account, classification=super_admin)
    assert made.end(vera)
    assert not made.end(None)
    assert (made.state, made.ended_by, level(root)) == ("ended", vera, "critical")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ends_on": date(2020, 1, 1)}, {"ends_on": ["The last day lies in the past."]}),
        ({"reason": "  "}, {"reason": ["Say why the risk is accepted."]}),
        ({"approver": " "}, {"approver": ["Say who approved it."]}),
        ({"username_pattern": ""}, ["Give an account or a pattern, one of both."]),
        ({"classification": None}, ["Give a classification or a rule, one of both."]),
    ],
)
def test_an_exception_without_its_grounds_is_refused(super_admin, fields, expected):
    with pytest.raises(ValidationError) as caught:
        accept(**({"username_pattern": "*", "classification": super_admin} | fields))
    found = caught.value.message_dict
    assert found == expected or list(found.values()) == [expected]


def test_a_run_without_news_asks_nothing_about_risks(super_admin):
    with CaptureQueriesContext(connection) as queries:
        classify()
    assert not [query for query in queries if "account_risks" in query["sql"]]


def test_the_statements_do_not_grow_with_the_accounts(orders, root, super_admin):
    counts = []
    for size in (5, 50):
        for n in range(size):
            account(orders, f"dba_{size}_{n}@%", "cap:SUPERUSER", is_superuser=True)
        classify()
        with CaptureQueriesContext(connection) as queries:
            accept(username_pattern=f"dba_{size}_*", classification=super_admin)
        # Whether the planner has to look at the tables again depends on what it knew of them.
        counts.append(len([each for each in queries if not each["sql"].startswith("ANALYZE")]))
    assert counts[0] == counts[1]
    assert AccountRisk.objects.filter(level=0).count() == 55


def test_only_risks_that_change_are_written(orders, root, super_admin):
    def written():
        with connection.cursor() as cursor:
            cursor.execute("SELECT permission_id, xmin::text, ctid::text FROM account_risks")
            return {row[0]: row[1:] for row in cursor.fetchall()}

    before = written()
    account(orders, "dba@%", "cap:SUPERUSER", is_superuser=True)
    classify()
    assert written()[root.pk] == before[root.pk]
    assert len(written()) == 2


def test_what_the_clock_ends_is_told_in_the_audit_log_once(root, super_admin, days_later):
    made = accept(account=root.account, classification=super_admin)
    assert expiry.note_expired() == 0
    days_later(1)
    assert (expiry.note_expired(), expiry.note_expired()) == (1, 0)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("expire", str(made.pk))
    assert (entry.username, entry.via) == ("calculate_account", "job")
    assert entry.object_name == "Super_Admin: root@%"


def test_what_a_person_ended_does_not_expire(root, super_admin, days_later):
    accept(account=root.account, classification=super_admin).end(None)
    days_later(1)
    assert expiry.note_expired() == 0
