"""Rules are checked before they are saved; classifications are given and ended by hand."""

import json

import pytest

from accounts.models import AccountPermission
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
)
from sync import classifying, runner
from sync.models import SyncInstanceRecord, SyncSession
from tests.admin import fleet
from tests.admin.test_account_page import text_of

RULES = "/admin/classification/classificationrule/"
ASSIGNMENTS = "/admin/classification/accountclassificationassignment/"
SUPERUSERS = json.dumps({"version": 4, "expr": {"fn": "is_superuser", "args": {}}})
WRONG = json.dumps(
    {"version": 4, "expr": {"op": "AND", "args": [{"fn": "is_superusr"}, {"op": "OR", "args": []}]}}
)


@pytest.fixture
def super_admin(db):
    return AccountClassification.objects.create(
        name="house_superusers", display_name="House superuser", risk_level="critical", priority=999
    )


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def form(classification, expression=SUPERUSERS):
    return {
        "rule_name": "superusers",
        "classification": classification.pk,
        "db_type": "postgresql",
        "rule_expression": expression,
        "references": "[]",
        "is_active": "on",
    }


def test_a_valid_rule_is_stored_canonical(administrator, super_admin):
    assert administrator.post(f"{RULES}add/", form(super_admin)).status_code == 302
    rule = ClassificationRule.objects.get(rule_name="superusers")
    assert rule.rule_expression == rule.parsed().canonical()


def test_every_fault_of_an_expression_is_shown_with_its_path(administrator, super_admin):
    page = administrator.post(f"{RULES}add/", form(super_admin, WRONG)).content.decode()
    assert "expr.args[0].fn" in page
    assert "expr.args[1].args" in page
    assert not ClassificationRule.objects.filter(rule_name="superusers").exists()


def test_checking_says_in_words_what_a_rule_asks_and_counts(viewer, super_admin, accounts):
    page = viewer.post(f"{RULES}check/", form(super_admin)).content.decode()
    assert "1 account matches." in page
    assert "dba_li" in page
    assert not ClassificationRule.objects.filter(rule_name="superusers").exists()


def test_checking_a_broken_rule_lists_its_faults(viewer, super_admin):
    page = viewer.post(f"{RULES}check/", form(super_admin, WRONG)).content.decode()
    assert "expr.args[0].fn" in page
    assert "Did you mean is_superuser?" in page


def test_checking_is_closed_to_who_has_no_role(nobody, super_admin):
    assert nobody.post(f"{RULES}check/", form(super_admin)).status_code == 302


def test_checking_counts_who_would_lose_the_classification(viewer, super_admin, accounts):
    rule = ClassificationRule.objects.create(
        classification=super_admin,
        db_type="postgresql",
        rule_name="superusers",
        rule_expression=SUPERUSERS,
    )
    given(accounts["app_rw"], super_admin, rule=rule, assignment_type="auto")
    page = viewer.post(f"{RULES}check/", form(super_admin) | {"rule": rule.pk}).content.decode()
    assert "1 would lose it." in page


def given(account, classification, **values):
    permission = AccountPermission.objects.get(account=account)
    now = permission.last_sync_time
    return AccountClassificationAssignment.objects.create(
        account=permission, classification=classification, assigned_at=now, **values
    )


def test_the_account_page_tells_the_risk_and_the_grounds(viewer, super_admin, accounts):
    token = "priv:table:DELETE@shop.public.orders"
    given(accounts["app_rw"], super_admin, evidence={"rules": [{"tokens": [token]}]})
    page = text_of(viewer, accounts["app_rw"])
    assert "critical House superuser" in page
    assert "app_rw -> team_rw -> dba_role: DELETE ON shop.public.orders" in page


def test_the_list_of_accounts_can_be_filtered_by_risk(viewer, super_admin, accounts):
    given(accounts["dba_li"], super_admin)
    page = viewer.get("/admin/accounts/instanceaccount/?risk=critical").content.decode()
    assert ">dba_li<" in page
    assert ">app_rw<" not in page


def test_an_operator_classifies_by_hand_on_the_page_of_the_account(operator, super_admin, accounts):
    url = f"/admin/accounts/instanceaccount/{accounts['app_rw'].pk}/classify_by_hand/"
    data = {"_form_submitted": "on", "classification": super_admin.pk, "note": "audit of May"}
    operator.post(url, data)
    made = AccountClassificationAssignment.objects.get()
    assert (made.assignment_type, made.assigned_by.username) == ("manual", "operator")
    assert made.evidence == {"note": "audit of May"}


def test_an_operator_classifies_by_hand_in_the_list_of_assignments(operator, super_admin, accounts):
    data = {"instance_account": accounts["app_rw"].pk, "classification": super_admin.pk}
    assert operator.post(f"{ASSIGNMENTS}add/", data).status_code == 302
    assert AccountClassificationAssignment.objects.get().is_active


def test_an_operator_ends_assignments(operator, super_admin, accounts):
    assignment = given(accounts["app_rw"], super_admin)
    data = {
        "action": "deactivate_selected",
        "confirmed": "yes",
        "_selected_action": [assignment.pk],
    }
    page = operator.post(ASSIGNMENTS, data, follow=True).content.decode()
    assignment.refresh_from_db()
    assert "1 assignment ended." in page
    assert (assignment.is_active, assignment.deactivated_by.username) == (False, "operator")


def test_a_viewer_cannot_classify(viewer, super_admin, accounts):
    data = {"instance_account": accounts["app_rw"].pk, "classification": super_admin.pk}
    assert viewer.post(f"{ASSIGNMENTS}add/", data).status_code == 403
    url = f"/admin/accounts/instanceaccount/{accounts['app_rw'].pk}/classify_by_hand/"
    assert viewer.post(url, data | {"_form_submitted": "on"}).status_code == 403


def test_a_classification_in_use_is_not_deleted_and_the_page_says_why(
    administrator, super_admin, accounts
):
    given(accounts["app_rw"], super_admin)
    url = f"/admin/classification/accountclassification/{super_admin.pk}/delete/"
    assert "house_superusers is in use" in administrator.get(url).content.decode()
    administrator.post(url, {"post": "yes"})
    assert AccountClassification.objects.filter(pk=super_admin.pk).exists()


def classify(client, on, action="classify_now"):
    """Press the button of the instance, and do what a worker would do."""
    page = client.post(
        f"/admin/instances/instance/{on.pk}/{action}/", {"_form_submitted": "on"}, follow=True
    )
    for record in SyncInstanceRecord.objects.filter(status="pending"):
        runner.run_record(record.pk)
    return page.content.decode()


@pytest.fixture
def superusers(super_admin):
    return ClassificationRule.objects.create(
        classification=super_admin,
        db_type="postgresql",
        rule_name="superusers",
        rule_expression=SUPERUSERS,
    )


def test_a_worker_applies_the_rules_and_the_session_can_be_watched(
    operator, superusers, accounts, orders_db
):
    page = classify(operator, orders_db)
    session = SyncSession.objects.get()
    assert str(session.session_id) in page
    assert (session.status, session.sync_category) == ("completed", "classification")
    assert AccountClassificationAssignment.objects.filter(
        account__account=accounts["dba_li"], classification__rules=superusers, is_active=True
    ).exists()


def test_an_instance_is_classified_for_itself(operator, superusers, accounts, orders_db):
    others = fleet.store(fleet.instance("stock-db"), fleet.orders())
    classify(operator, orders_db)
    assert not AccountClassificationAssignment.objects.filter(
        account__account=others["dba_li"]
    ).exists()


def test_an_instance_that_is_gone_meanwhile_classifies_no_other(superusers, accounts, orders_db):
    session = classifying.start_for([orders_db], None)
    session.records.update(instance=None)
    runner.run_record(session.records.get().pk)
    assert session.records.get().error_message == "The instance was removed."
    assert not AccountClassificationAssignment.objects.exists()


def test_without_a_rule_nothing_begins(operator, accounts, orders_db):
    ClassificationRule.objects.all().delete()
    assert "There is no active rule." in classify(operator, orders_db)
    assert not SyncSession.objects.exists()
