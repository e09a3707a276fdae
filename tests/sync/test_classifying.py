"""What a sync changes is classified before its record ends."""

import pytest

from accounts.models import AccountChangeLog
from classification.models import AccountClassificationAssignment
from sync import tasks
from sync.runner import sync_accounts
from tests.sync import cast

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def superusers(transactional_db):
    """A rule that calls superusers critical."""
    return cast.superusers_are_critical()


def risky():
    found = AccountClassificationAssignment.objects.filter(is_active=True)
    return set(found.values_list("account__account__username", flat=True))


def risks(username):
    found = AccountChangeLog.objects.filter(account__username=username).order_by("pk")
    return list(found.values_list("change_type", "risk_before", "risk_after"))


def test_a_new_superuser_is_found_by_the_sync(orders_db, mariadb, superusers):
    sync_accounts(orders_db, "manual_single")
    mariadb.execute("CREATE USER dba_li@'%'")
    assert sync_accounts(orders_db, "manual_single")["details"]["classification"]["added"] == 0
    assert "dba_li@%" not in risky()
    mariadb.execute("GRANT ALL ON *.* TO dba_li@'%' WITH GRANT OPTION")
    assert sync_accounts(orders_db, "manual_single")["details"]["classification"]["added"] == 1
    assert "dba_li@%" in risky()
    assert risks("dba_li@%") == [("add", "", ""), ("modify_privilege", "", "critical")]


def test_the_log_says_when_a_risk_is_gone(orders_db, mariadb, superusers):
    mariadb.execute("GRANT ALL ON *.* TO dba_li@'%' IDENTIFIED BY 'x' WITH GRANT OPTION")
    sync_accounts(orders_db, "manual_single")
    mariadb.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM dba_li@'%'")
    sync_accounts(orders_db, "manual_single")
    assert risks("dba_li@%") == [("add", "", "critical"), ("modify_privilege", "critical", "")]


def test_an_unchanged_instance_is_not_classified(orders_db, superusers):
    sync_accounts(orders_db, "manual_single")
    assert sync_accounts(orders_db, "manual_single")["details"]["classification"] == {}


def test_without_rules_the_sync_goes_on(orders_db):
    result = sync_accounts(orders_db, "manual_single")
    assert result["success"] is True
    assert result["details"]["classification"] == {"skipped": "NO_RULES"}


def test_a_classification_that_breaks_does_not_undo_the_sync(orders_db, superusers, monkeypatch):
    def broken(**kwargs):
        raise KeyError("a bug")

    monkeypatch.setattr("sync.runner.classify", broken)
    result = sync_accounts(orders_db, "manual_single")
    assert result["success"] is True
    assert result["details"]["classification"] == {"error": "KeyError"}
    assert AccountChangeLog.objects.exists()


def test_the_nightly_job_makes_up_for_it(orders_db, superusers, monkeypatch):
    test_a_classification_that_breaks_does_not_undo_the_sync(orders_db, superusers, monkeypatch)
    assert tasks.calculate_account()["added"] > 0
    assert risky()
