"""Rules are copied, switched and brought back to what they were; the history says who and when."""

import json

import pytest
from django.contrib.admin.models import LogEntry

from classification.models import AccountClassification, ClassificationRule, RuleRevision

RULES = "/admin/classification/classificationrule/"
SUPERUSERS = json.dumps({"version": 4, "expr": {"fn": "is_superuser", "args": {}}})
LOCKED = json.dumps({"version": 4, "expr": {"fn": "is_locked", "args": {}}})


@pytest.fixture
def rule(db):
    dba = AccountClassification.objects.create(name="house_dba", display_name="House DBA")
    return ClassificationRule.objects.create(
        classification=dba, db_type="postgresql", rule_name="dbas", rule_expression=SUPERUSERS
    )


def save(browser, rule, **values):
    form = {
        "rule_name": rule.rule_name,
        "classification": rule.classification_id,
        "db_type": rule.db_type,
        "rule_expression": rule.rule_expression,
        "references": "[]",
        "is_active": "on",
    }
    assert browser.post(f"{RULES}{rule.pk}/change/", form | values).status_code == 302


def history(browser, rule):
    return browser.get(f"{RULES}{rule.pk}/history/").content.decode()


def restore(browser, rule, side):
    data = {"revision": RuleRevision.objects.order_by("pk").first().pk, "side": side}
    return browser.post(f"{RULES}{rule.pk}/restore/", data, follow=True)


def test_the_history_says_who_changed_what(administrator, rule):
    save(administrator, rule, rule_expression=LOCKED)
    page = history(administrator, rule)
    assert "administrator" in page
    assert "is_superuser" in page
    assert "is_locked" in page


def test_an_earlier_state_is_brought_back(administrator, rule):
    before = rule.rule_expression
    save(administrator, rule, rule_expression=LOCKED, rule_name="locked")
    page = restore(administrator, rule, "before").content.decode()
    rule.refresh_from_db()
    assert "The earlier state is back." in page
    assert (rule.rule_name, rule.rule_expression) == ("dbas", before)
    assert LogEntry.objects.count() == RuleRevision.objects.count() == 2


def test_a_state_whose_name_is_taken_is_not_brought_back(administrator, rule):
    save(administrator, rule, rule_name="renamed")
    twin = {"db_type": "postgresql", "rule_name": "dbas", "rule_expression": LOCKED}
    ClassificationRule.objects.create(classification=rule.classification, **twin)
    page = restore(administrator, rule, "before").content.decode()
    assert "A rule of this engine has this name already." in page
    assert ClassificationRule.objects.get(pk=rule.pk).rule_name == "renamed"


def test_an_entry_of_another_rule_is_not_found(administrator, rule):
    save(administrator, rule, rule_name="renamed")
    other = f"{RULES}{rule.pk}/restore/"
    assert administrator.post(other, {"revision": "0", "side": "after"}).status_code == 404


def test_a_viewer_brings_nothing_back(administrator, viewer, rule):
    save(administrator, rule, rule_name="renamed")
    assert restore(viewer, rule, "before").status_code == 403


def test_what_the_api_changes_stands_in_the_history(administrator, rule):
    url = f"/api/v1/accounts/classifications/rules/{rule.pk}"
    names = ("db_type", "rule_expression")
    data = {name: getattr(rule, name) for name in names} | {"rule_name": "by program"}
    data |= {"classification": rule.classification_id}
    answer = administrator.put(url, json.dumps(data), content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert "by program" in history(administrator, rule)


def test_the_history_names_the_classification(administrator, rule):
    other = AccountClassification.objects.create(name="o", display_name="Other DBA")
    save(administrator, rule, classification=other.pk)
    page = history(administrator, rule)
    assert "House DBA" in page
    assert "Other DBA" in page


def test_a_deleted_person_stays_in_the_history(administrator, rule, django_user_model):
    save(administrator, rule, rule_name="renamed")
    django_user_model.objects.get(username="administrator").delete()
    assert RuleRevision.objects.get().who == "administrator"


def test_a_copy_is_switched_off_and_has_a_name_of_its_own(administrator, rule):
    administrator.post(f"{RULES}{rule.pk}/copy/", {"_form_submitted": "on"})
    copy = ClassificationRule.objects.exclude(pk=rule.pk).get()
    assert (copy.rule_name, copy.is_active) == ("dbas (copy 1)", False)
    assert copy.rule_expression == rule.rule_expression


def test_switching_off_is_in_the_history(administrator, rule):
    administrator.post(f"{RULES}{rule.pk}/switch/", {"_form_submitted": "on"})
    rule.refresh_from_db()
    assert not rule.is_active
    assert "Changed active" in history(administrator, rule)
