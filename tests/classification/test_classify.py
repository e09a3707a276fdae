import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccountPermission
from classification.classify import NothingToClassify, classify
from classification.models import AccountClassificationAssignment as Assignment
from classification.models import ClassificationRule
from tests.classification import cast
from tests.classification.cast import call, retoken
from whalefall.models import User

pytestmark = pytest.mark.django_db

SUPER = call("has_capability", name="SUPERUSER")
FILE = call("has_privilege", name="FILE", scope="global")


@pytest.fixture
def orders():
    return cast.instance()


@pytest.fixture
def admins():
    return cast.classification("super_admin")


@pytest.fixture
def dba(orders):
    return cast.account(orders, "dba_li@%", "cap:SUPERUSER", "priv:global:FILE")


@pytest.fixture
def app(orders):
    return cast.account(orders, "app_rw@%", "priv:database:SELECT")


@pytest.fixture
def li():
    return User.objects.create(username="li")


def active():
    return {
        (row.account.account.username, row.classification.name)
        for row in Assignment.objects.active().select_related("account__account", "classification")
    }


def result(outcome, name):
    return next(rule for rule in outcome.rules if rule.name == name)


def ids():
    return sorted(Assignment.objects.values_list("id", "is_active", "batch_id"))


def test_accounts_that_match_get_the_classification(dba, app, admins):
    rule = cast.rule("superusers", admins, SUPER)
    outcome = classify()
    row = Assignment.objects.get()
    assert (row.account, row.classification, row.rule) == (dba, admins, rule)
    assert (row.assignment_type, row.is_active, row.batch_id) == ("auto", True, outcome.batch_id)
    assert row.evidence == {
        "rules": [{"rule": rule.id, "fingerprint": rule.fingerprint, "tokens": ["cap:SUPERUSER"]}]
    }
    assert (outcome.accounts, outcome.added, result(outcome, "superusers").matched) == (2, 1, 1)


def test_a_rule_is_asked_only_of_accounts_of_its_engine(admins):
    cast.account(cast.instance("pg", "postgresql"), "postgres", "cap:SUPERUSER")
    cast.rule("superusers", admins, SUPER, db_type="mysql")
    assert classify().added == 0


def test_without_rules_nothing_is_touched(dba, admins):
    Assignment.objects.assign(dba, admins, None)
    with pytest.raises(NothingToClassify, match="no active rule") as caught:
        classify()
    assert caught.value.code == "NO_RULES"
    assert active() == {("dba_li@%", "super_admin")}


def test_without_accounts_nothing_is_touched(orders, admins):
    cast.rule("superusers", admins, SUPER)
    with pytest.raises(NothingToClassify, match="no account") as caught:
        classify()
    assert caught.value.code == "NO_ACCOUNTS"


def test_a_second_run_writes_nothing_in_few_statements(dba, app, admins):
    cast.rule("superusers", admins, SUPER)
    classify()
    before = ids()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        outcome = classify()
    assert ids() == before
    assert (outcome.added, outcome.removed, outcome.updated, outcome.changed) == (0, 0, 0, 0)
    assert len(queries) <= 10
    writes = ("INSERT", "UPDATE", "DELETE", "CREATE")
    assert not [q for q in queries if q["sql"].lstrip().upper().startswith(writes)]


def test_what_no_longer_matches_is_deactivated_and_kept(dba, app, admins):
    cast.rule("superusers", admins, SUPER)
    classify()
    retoken(dba, "priv:global:FILE")
    outcome = classify()
    row = Assignment.objects.get()
    assert (row.is_active, row.deactivated_by, outcome.removed) == (False, None, 1)
    assert row.deactivated_at is not None


def test_only_changed_accounts_are_asked(dba, app, admins):
    cast.rule("superusers", admins, SUPER)
    classify()
    retoken(app, "cap:SUPERUSER")
    outcome = classify()
    assert (outcome.changed, outcome.added) == (1, 1)
    assert result(outcome, "superusers").asked == "changed"
    assert active() == {("dba_li@%", "super_admin"), ("app_rw@%", "super_admin")}


def test_only_rules_that_changed_are_asked(dba, app, admins):
    rule = cast.rule("superusers", admins, SUPER)
    cast.rule("readers", cast.classification("reader"), FILE)
    classify()
    rule.rule_expression = cast.text({"op": "NOT", "args": [SUPER]})
    rule.save()
    outcome = classify()
    assert {each.name: each.asked for each in outcome.rules} == {
        "superusers": "all",
        "readers": "none",
    }
    assert active() == {("app_rw@%", "super_admin"), ("dba_li@%", "reader")}


def test_two_rules_give_one_assignment_with_both_as_evidence(dba, admins):
    first = cast.rule("superusers", admins, SUPER)
    second = cast.rule("files", admins, FILE)
    classify()
    evidence = Assignment.objects.get().evidence["rules"]
    assert [each["rule"] for each in evidence] == [first.id, second.id]


def test_a_rule_about_very_many_words_is_told_by_those_that_are_there(dba, app, admins):
    names = [f"P{i:03}" for i in range(100)]
    retoken(dba, *(f"priv:global:{name}" for name in ("P001", "P042", "P099")))
    args = [call("has_privilege", name=name, scope="global") for name in names]
    rule = cast.rule("many", admins, {"op": "OR", "args": args})
    assert result(classify(), "many").matched == 1
    (told,) = Assignment.objects.get().evidence["rules"]
    assert told["rule"] == rule.id
    assert told["tokens"] == ["priv:global:P001", "priv:global:P042", "priv:global:P099"]


def test_when_one_of_two_rules_stops_matching_the_assignment_stays(dba, admins):
    cast.rule("superusers", admins, SUPER)
    second = cast.rule("files", admins, FILE)
    classify()
    before = Assignment.objects.get()
    retoken(dba, "priv:global:FILE")
    assert classify().updated == 1
    after = Assignment.objects.get()
    assert (after.pk, after.batch_id, after.rule) == (before.pk, before.batch_id, second)
    assert [each["rule"] for each in after.evidence["rules"]] == [second.id]


def test_a_rule_that_is_switched_off_takes_its_assignments_along(dba, admins):
    rule = cast.rule("superusers", admins, SUPER)
    cast.rule("readers", cast.classification("reader"), FILE)
    classify()
    ClassificationRule.objects.filter(pk=rule.pk).update(is_active=False)
    assert classify().removed == 1
    assert active() == {("dba_li@%", "reader")}


def test_a_deleted_rule_takes_its_assignments_along(dba, admins):
    cast.rule("superusers", admins, SUPER)
    cast.rule("readers", cast.classification("reader"), FILE)
    classify()
    ClassificationRule.objects.get(rule_name="superusers").delete()
    classify()
    assert active() == {("dba_li@%", "reader")}


def test_unknown_is_counted_and_keeps_what_is_there(dba, app, admins):
    cast.rule("superusers", admins, SUPER)
    classify()
    retoken(dba, "section.denied:global")
    retoken(app, "section.failed:global")
    outcome = classify()
    assert result(outcome, "superusers").unknown == 2
    assert active() == {("dba_li@%", "super_admin")}
    retoken(dba)
    classify()
    assert active() == set()


def test_not_of_unknown_does_not_match(app, admins):
    retoken(app, "section.denied:global")
    cast.rule("plain", admins, {"op": "NOT", "args": [SUPER]})
    outcome = classify()
    assert (outcome.added, result(outcome, "plain").unknown) == (0, 1)


def test_manual_assignments_are_untouched(dba, app, admins, li):
    manual = Assignment.objects.assign(app, admins, li)
    by_hand = Assignment.objects.assign(dba, admins, li)
    cast.rule("superusers", admins, SUPER)
    classify()
    retoken(dba)
    classify()
    assert set(Assignment.objects.values_list("id", "is_active", "assignment_type")) == {
        (manual.id, True, "manual"),
        (by_hand.id, True, "manual"),
    }


def test_by_hand_takes_the_place_of_a_rules_and_gives_it_back(dba, admins, li):
    cast.rule("superusers", admins, SUPER)
    classify()
    manual = Assignment.objects.assign(dba, admins, li, "approved in June")
    assert (manual.assignment_type, manual.evidence) == ("manual", {"note": "approved in June"})
    assert Assignment.objects.active().get() == manual
    manual.deactivate(li)
    classify()
    assert Assignment.objects.active().get().assignment_type == "auto"


def test_assigning_twice_by_hand_changes_nothing(dba, admins, li):
    first = Assignment.objects.assign(dba, admins, li)
    assert Assignment.objects.assign(dba, admins, None) == first


def test_a_dismissed_one_stays_off(dba, admins, li):
    cast.rule("superusers", admins, SUPER)
    classify()
    row = Assignment.objects.get()
    assert row.deactivate(li) is True
    assert row.deactivate(li) is False
    assert (row.is_dismissed, row.deactivated_by) == (True, li)
    classify()
    cast.rule("files", admins, call("is_locked"))
    classify()
    assert active() == set()


def test_a_dismissed_one_comes_back_when_the_facts_change(dba, admins, li):
    cast.rule("superusers", admins, SUPER)
    classify()
    Assignment.objects.get().deactivate(li)
    retoken(dba, "cap:SUPERUSER", "role:dba")
    classify()
    assert active() == {("dba_li@%", "super_admin")}


def test_a_dismissed_one_comes_back_when_the_rule_changes(dba, admins, li):
    rule = cast.rule("superusers", admins, SUPER)
    classify()
    Assignment.objects.get().deactivate(li)
    li.delete()
    rule.rule_expression = cast.text({"op": "OR", "args": [SUPER, FILE]})
    rule.save()
    classify()
    assert active() == {("dba_li@%", "super_admin")}


def test_a_dismissal_outlives_the_person(dba, admins, li):
    cast.rule("superusers", admins, SUPER)
    classify()
    Assignment.objects.get().deactivate(li)
    li.delete()
    AccountPermission.objects.filter(pk=dba.pk).update(is_locked=True)
    assert classify().changed == 1
    assert active() == set()


def test_a_rule_that_fails_is_reported_and_its_assignments_stay(dba, app, admins):
    rule = cast.rule("superusers", admins, SUPER)
    classify()
    other = cast.rule("readers", cast.classification("reader"), call("is_locked"))
    AccountPermission.objects.filter(pk=app.pk).update(is_locked=True)
    retoken(dba)
    # What an upgrade may leave behind: text that was valid once.
    ClassificationRule.objects.filter(pk=rule.pk).update(rule_expression='{"version": 3}')
    outcome = classify()
    assert result(outcome, "superusers").error.startswith("version: The version must be 4.")
    assert [each.name for each in outcome.failed] == ["superusers"]
    assert active() == {("dba_li@%", "super_admin"), ("app_rw@%", "reader")}
    ClassificationRule.objects.filter(pk=rule.pk).update(rule_expression=other.rule_expression)
    classify()
    assert active() == {("app_rw@%", "reader"), ("app_rw@%", "super_admin")}


@pytest.fixture
def refusal():
    """A function in the place of the store's own, which rules about patterns call."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION public.regexp_replace(text, text, text) RETURNS text"
            " LANGUAGE plpgsql AS 'BEGIN RAISE ''no space left''; END';"
            "SET LOCAL search_path = public, pg_catalog"
        )
        yield
        cursor.execute("DROP FUNCTION public.regexp_replace; SET LOCAL search_path TO DEFAULT")


def test_a_rule_that_the_store_refuses_does_not_stop_the_others(dba, app, admins, refusal):
    retoken(app, "priv:database.pattern:SELECT", "priv:database.pattern:SELECT@sal%")
    sales = call("has_privilege", name="SELECT", scope="database", database="sales")
    cast.rule("sales", cast.classification("reader"), sales)
    cast.rule("superusers", admins, SUPER)
    outcome = classify()
    assert result(outcome, "sales").error.startswith("no space left")
    assert [each.name for each in outcome.failed] == ["sales"]
    assert active() == {("dba_li@%", "super_admin")}


def test_a_rule_that_was_refused_is_asked_again(dba, app, admins, refusal):
    retoken(app, "priv:database.pattern:SELECT", "priv:database.pattern:SELECT@sal%")
    sales = call("has_privilege", name="SELECT", scope="database", database="sales")
    cast.rule("sales", admins, sales)
    assert classify().failed
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO DEFAULT")
    assert result(classify(), "sales").added == 1


def test_a_rule_that_was_refused_on_one_instance_is_asked_of_its_accounts_again(
    dba, orders, admins
):
    rule = cast.rule("superusers", admins, SUPER)
    classify()
    retoken(dba)
    ClassificationRule.objects.filter(pk=rule.pk).update(rule_expression='{"version": 3}')
    assert classify(instance_id=orders.id).failed
    ClassificationRule.objects.filter(pk=rule.pk).update(rule_expression=rule.rule_expression)
    assert classify().removed == 1


def test_accounts_that_are_gone_lose_what_rules_gave_them(dba, app, admins, li):
    cast.rule("superusers", admins, SUPER)
    Assignment.objects.assign(dba, cast.classification("vip"), li)
    classify()
    dba.account.is_active = False
    dba.account.save()
    assert classify().removed == 1
    assert active() == {("dba_li@%", "vip")}


def test_an_account_that_is_back_gets_them_again(dba, app, admins):
    cast.rule("superusers", admins, SUPER)
    classify()
    for present in (False, True):
        dba.account.is_active = present
        dba.account.save()
        classify()
    assert active() == {("dba_li@%", "super_admin")}


def test_accounts_of_an_instance_that_is_switched_off_are_left_alone(dba, orders, admins):
    cast.account(cast.instance("other"), "x@%")
    cast.rule("superusers", admins, SUPER)
    classify()
    orders.is_active = False
    orders.save()
    retoken(dba)
    assert classify().accounts == 1
    assert active() == {("dba_li@%", "super_admin")}


def test_one_instance_alone(dba, orders, admins):
    other = cast.instance("other")
    cast.account(other, "root@%", "cap:SUPERUSER")
    cast.rule("superusers", admins, SUPER)
    assert classify(instance_id=other.id).accounts == 1
    assert active() == {("root@%", "super_admin")}
    classify()
    assert active() == {("root@%", "super_admin"), ("dba_li@%", "super_admin")}


def test_a_run_over_one_instance_does_not_pass_for_all(dba, orders, admins):
    other = cast.instance("other")
    root = cast.account(other, "root@%", "cap:SUPERUSER")
    rule = cast.rule("superusers", admins, SUPER)
    classify()
    rule.rule_expression = cast.text(FILE)
    rule.save()
    classify(instance_id=other.id)
    assert active() == {("dba_li@%", "super_admin")}
    retoken(root, "priv:global:FILE")
    classify(instance_id=other.id)
    assert active() == {("dba_li@%", "super_admin"), ("root@%", "super_admin")}
    assert result(classify(), "superusers").asked == "all"


def test_named_accounts_alone(dba, app, admins):
    cast.rule("superusers", admins, {"op": "NOT", "args": [call("is_locked")]})
    assert classify(account_ids=[app.pk]).added == 1
    assert active() == {("app_rw@%", "super_admin")}


def test_named_rules_alone(dba, admins):
    rule = cast.rule("superusers", admins, SUPER)
    cast.rule("files", cast.classification("files"), FILE)
    classify(rule_ids=[rule.id])
    assert active() == {("dba_li@%", "super_admin")}
    classify()
    assert active() == {("dba_li@%", "super_admin"), ("dba_li@%", "files")}


def test_a_new_password_is_seen_at_once(dba, admins):
    cast.rule("stale", admins, call("password_older_than", days=1))
    AccountPermission.objects.update(password_changed_at="2020-01-01T00:00Z")
    assert classify().added == 1
    AccountPermission.objects.update(password_changed_at=timezone.now())
    assert classify().removed == 1


def test_rules_that_ask_the_clock_are_asked_once_an_hour(dba, orders, admins):
    cast.rule("idle", admins, call("last_login_before", days=90))
    AccountPermission.objects.update(last_login_at=timezone.now())
    classify()
    AccountPermission.objects.update(last_login_at="2020-01-01T00:00Z")
    assert result(classify(), "idle").asked == "none"
    admins.refresh_from_db()
    (rule, stamp), *_others = admins.rule_stamps.items()
    admins.rule_stamps = {rule: stamp.partition("@")[0] + "@2020-01-01T00"}
    admins.save()
    assert result(classify(instance_id=orders.id), "idle").asked == "none"
    assert classify().added == 1


@pytest.mark.parametrize("changed", [0, 1, 20])
def test_the_number_of_statements_does_not_depend_on_the_accounts(orders, admins, changed):
    for name in ("a", "b", "c"):
        cast.rule(name, cast.classification(name), SUPER)

    def statements(count):
        for i in range(count):
            cast.account(orders, f"u{AccountPermission.objects.count()}-{i}@%", "cap:SUPERUSER")
        classify()
        for account in AccountPermission.objects.order_by("-pk")[:changed]:
            retoken(account)
        with CaptureQueriesContext(connection) as queries:
            classify()
        return len(queries)

    assert statements(20) == statements(60)
