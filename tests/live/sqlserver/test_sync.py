"""From the wire into the store and back out of the index."""

from __future__ import annotations

import pytest

from accounts.access import Access
from accounts.collection import apply
from accounts.models import AccountChangeLog, AccountPermission
from tests.live.sqlserver.conftest import observed_by
from tests.live.sqlserver.fleet import ADMIN, PASSWORD
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def instance():
    return Instance.objects.create(name="erp-db", db_type="sqlserver", host="db1", port=1433)


def synced(instance, server):
    return apply(instance, observed_by(server, ADMIN, PASSWORD))


def who(privilege, name, **more):
    return {p.account.username for p in Access(privilege, name, **more).accounts()}


def test_an_unchanged_instance_writes_nothing(instance, own):
    first = synced(instance, own)
    assert first.counts["created"] > 100
    again = synced(instance, own)
    assert (again.counts["updated"], again.changed_ids, again.gone_ids) == (0, [], [])


def test_who_may_read_the_salaries(instance, own):
    """app is denied the table; mei holds CONTROL on its schema; sysadmins are bound by nothing."""
    synced(instance, own)
    found = who("SELECT", "sales.hr.salaries")
    assert {"sa", "boss", "chief", "controller", "CORP\\mei", "mei@sales", "lazy"} <= found
    assert not {"app", "app_user@sales", "lax", "runner"} & found


def test_a_denied_update_is_taken_out_of_control_on_the_schema(instance, own):
    synced(instance, own)
    assert "CORP\\mei" not in who("UPDATE", "sales.hr.salaries")
    assert "CORP\\mei" in who("DELETE", "sales.hr.salaries")


def test_the_path_leads_through_user_and_roles(instance, own):
    synced(instance, own)
    access = Access("SELECT", "sales.dbo.orders")
    lazy = next(p for p in access.accounts() if p.account.username == "lazy")
    assert access.ways(lazy)[0].path == [
        "clerk@sales", "readers@sales", "team@sales", "db_datareader@sales",
    ]  # fmt: skip


def test_whom_one_may_impersonate_is_what_one_can_reach(instance, own):
    synced(instance, own)
    mimic = AccountPermission.objects.get(account__username="mimic")
    officer = AccountPermission.objects.get(account__username="officer")
    assert "reach:cap:SUPERUSER" in mimic.fact_tokens
    assert "cap:SUPERUSER" not in mimic.fact_tokens
    assert "reach:cap:DB_OWNER" in officer.fact_tokens


def test_a_database_that_goes_offline_keeps_what_was_known_of_it(instance, own):
    synced(instance, own)
    logged = AccountChangeLog.objects.count()
    own.backend.server.databases["sales"].state = "OFFLINE"
    applied = synced(instance, own)
    assert applied.counts["deleted"] == 0
    assert AccountChangeLog.objects.count() == logged
    lazy = AccountPermission.objects.get(account__username="lazy")
    assert "role:db_datareader@sales" in lazy.fact_tokens


def test_a_denial_and_a_dropped_user_are_changes(instance, own):
    synced(instance, own)
    sales = own.backend.server.databases["sales"]
    sales.deny("INSERT", "dbo.orders", to="clerk")
    del sales.users["batch"]
    synced(instance, own)
    log = AccountChangeLog.objects.exclude(change_type="add")
    assert {(c.account.username, c.change_type) for c in log} == {
        ("clerk@sales", "modify_privilege"),
        ("batch@sales", "delete"),
    }
