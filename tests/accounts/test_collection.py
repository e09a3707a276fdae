from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.collection import IncompleteAccounts, apply
from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from tests.accounts.world import PlainRules, account, denied, grant, member, observe, role
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def orders_db():
    return Instance.objects.create(name="orders-db", db_type="mysql", host="db1", port=3306)


def run(instance, *things, day=0, **values):
    now = FIRST + timedelta(days=day)
    return apply(instance, observe(*things, **values), rules=PlainRules(), now=now)


def permission(username):
    return AccountPermission.objects.get(account__username=username)


def changes(username, after=0):
    log = AccountChangeLog.objects.filter(account__username=username).order_by("id")
    return list(log)[after:]


def privilege_diff(username):
    return changes(username)[-1].privilege_diff


def fleet(size):
    """`size` accounts, every tenth a role, each in a role and with grants of its own."""
    for number in range(size):
        name = f"app_{number}"
        yield role(name) if number % 10 == 0 else account(name, attributes={"plugin": "sha2"})
        yield grant(name, "SELECT", f"db_{number % 7}")
        yield grant(name, "UPDATE", f"db_{number % 7}.orders")
        if number % 10:
            yield member(name, f"app_{number // 10 * 10}")


def test_a_new_account_is_stored_with_snapshot_facts_and_tokens(orders_db):
    applied = run(orders_db, account("app_rw"), grant("app_rw", "SELECT", "sales"))
    stored = permission("app_rw")
    assert applied.counts["created"] == 1
    assert applied.changed_ids == [stored.pk]
    assert stored.permission_facts["privileges"] == {"database": {"sales": ["SELECT"]}}
    assert "priv:database:SELECT@sales" in stored.fact_tokens
    assert stored.last_change_type == "add"


def test_a_new_account_is_logged_with_what_it_may_do(orders_db):
    run(orders_db, account("app_rw"), grant("app_rw", "SELECT", "sales"))
    (change,) = changes("app_rw")
    assert (change.change_type, change.message) == ("add", "new: GRANT SELECT on database:sales")


def test_the_instance_learns_its_version(orders_db):
    run(orders_db, account("app_rw"))
    orders_db.refresh_from_db()
    assert (orders_db.version, orders_db.main_version) == ("10.11.6", "10.11")
    assert orders_db.last_connected_at == FIRST


def test_a_second_run_over_the_same_writes_no_permission(orders_db):
    run(orders_db, *fleet(20))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        applied = run(orders_db, *fleet(20), day=1)
    assert applied.counts["unchanged"] == 20
    assert applied.changed_ids == []
    assert len(queries) <= 15
    written = [q["sql"] for q in queries if "account_permission" in q["sql"]]
    assert all("SELECT" in sql and "UPDATE" not in sql for sql in written)


def test_a_second_run_says_when_the_account_was_last_seen(orders_db):
    run(orders_db, account("app_rw"))
    run(orders_db, account("app_rw"), day=1)
    assert InstanceAccount.objects.get().last_seen_at == FIRST + timedelta(days=1)
    assert permission("app_rw").last_sync_time == FIRST


@pytest.mark.parametrize("changed", [False, True])
def test_the_number_of_statements_does_not_grow_with_the_accounts(changed):
    counts = []
    for size in (10, 500):
        name = f"db-{size}"
        instance = Instance.objects.create(name=name, db_type="mysql", host=name, port=3306)
        more = [grant(f"app_{n}", "DROP", "sales") for n in range(size)] if changed else []
        with CaptureQueriesContext(connection) as first:
            run(instance, *fleet(size))
        with CaptureQueriesContext(connection) as second:
            run(instance, *fleet(size), *more, day=1)
        counts.append((len(first), len(second)))
    assert counts[0] == counts[1]


def test_a_grant_and_a_revoke_are_logged_once_per_object(orders_db):
    before = [grant("app_rw", name, "sales") for name in ("SELECT", "INSERT")]
    after = [grant("app_rw", name, "sales") for name in ("SELECT", "UPDATE", "DELETE")]
    run(orders_db, account("app_rw"), *before)
    applied = run(orders_db, account("app_rw"), *after, day=1)
    assert applied.counts["updated"] == 1
    assert privilege_diff("app_rw") == [
        {"action": "GRANT", "object": "database:sales", "permissions": ["DELETE", "UPDATE"]},
        {"action": "REVOKE", "object": "database:sales", "permissions": ["INSERT"]},
    ]
    assert permission("app_rw").last_change_type == "modify_privilege"


def test_another_attribute_is_another_difference(orders_db):
    run(orders_db, account("app_rw", is_locked=False))
    run(orders_db, account("app_rw", is_locked=True), day=1)
    (change,) = changes("app_rw", after=1)
    assert change.change_type == "modify_other"
    assert change.message == "is locked: no -> yes"
    assert permission("app_rw").is_locked


def test_who_is_gone_becomes_inactive_and_is_logged(orders_db):
    run(orders_db, account("app_rw"), account("dba_li"))
    applied = run(orders_db, account("app_rw"), day=1)
    gone = InstanceAccount.objects.get(username="dba_li")
    assert (gone.is_active, gone.deleted_at) == (False, FIRST + timedelta(days=1))
    assert applied.gone_ids == [gone.permission.pk]
    assert changes("dba_li")[-1].change_type == "delete"
    assert gone.permission.last_change_type == "delete"


def test_who_is_back_is_restored_with_what_changed_meanwhile(orders_db):
    run(orders_db, account("app_rw"), account("dba_li"))
    run(orders_db, account("app_rw"), day=1)
    run(orders_db, account("app_rw"), account("dba_li"), grant("dba_li", "SUPER"), day=2)
    back = InstanceAccount.objects.get(username="dba_li")
    assert (back.is_active, back.deleted_at, back.first_seen_at) == (True, None, FIRST)
    change = changes("dba_li")[-1]
    assert (change.change_type, change.message) == ("restore", "back: GRANT SUPER on global")


def test_who_is_gone_twice_is_logged_once(orders_db):
    run(orders_db, account("app_rw"), account("dba_li"))
    for day in (1, 2):
        run(orders_db, account("app_rw"), day=day)
    assert [change.change_type for change in changes("dba_li")] == ["add", "delete"]


def test_whose_role_changed_has_new_facts_and_no_line_in_the_log(orders_db):
    things = account("alice"), role("dba"), member("alice", "dba")
    run(orders_db, *things)
    applied = run(orders_db, *things, grant("dba", "SUPER"), day=1)
    assert permission("alice").is_superuser
    assert set(applied.changed_ids) == {permission("alice").pk, permission("dba").pk}
    assert (len(changes("alice")), len(changes("dba"))) == (1, 2)
    assert (applied.counts["updated"], applied.counts["refreshed"]) == (1, 1)


def test_a_login_alone_moves_its_column_and_nothing_else(orders_db):
    run(orders_db, account("app_rw"))
    seen = FIRST + timedelta(hours=3)
    applied = run(orders_db, account("app_rw", last_login_at=seen), day=1)
    assert permission("app_rw").last_login_at == seen
    assert (applied.changed_ids, len(changes("app_rw"))) == ([], 1)


def test_a_section_that_cannot_be_read_now_keeps_its_grants(orders_db):
    things = account("app_rw"), grant("app_rw", "UPDATE", "sales.orders")
    run(orders_db, *things)
    applied = run(orders_db, account("app_rw"), sections=[denied("table")], day=1)
    stored = permission("app_rw")
    assert "priv:table:UPDATE@sales.orders" in stored.fact_tokens
    assert "section.denied:table" in stored.fact_tokens
    assert stored.permission_snapshot["sections"]["table"]["content"] == "earlier"
    assert applied.incomplete == {"table": "SELECT command denied"}
    assert len(changes("app_rw")) == 1


def test_what_changed_behind_an_unreadable_section_is_logged_when_it_can_be_read(orders_db):
    run(orders_db, account("app_rw"), grant("app_rw", "UPDATE", "sales.orders"))
    run(orders_db, account("app_rw"), sections=[denied("table")], day=1)
    run(orders_db, account("app_rw"), grant("app_rw", "DELETE", "sales.orders"), day=2)
    assert [entry["action"] for entry in privilege_diff("app_rw")] == ["GRANT", "REVOKE"]


def test_the_first_complete_reading_of_a_section_is_no_grant(orders_db):
    run(orders_db, account("app_rw"), sections=[denied("table")])
    run(orders_db, account("app_rw"), grant("app_rw", "UPDATE", "sales.orders"), day=1)
    assert len(changes("app_rw")) == 1
    assert "priv:table:UPDATE@sales.orders" in permission("app_rw").fact_tokens


def test_only_the_database_that_could_not_be_read_keeps_its_grants(orders_db):
    grants = [grant("app_rw", "UPDATE", name) for name in ("sales.orders", "shop.carts")]
    run(orders_db, account("app_rw"), *grants)
    refused = denied("table", databases={"sales": "permission denied for database sales"})
    run(orders_db, account("app_rw"), sections=[refused], day=1)
    assert privilege_diff("app_rw") == [
        {"action": "REVOKE", "object": "table:shop.carts", "permissions": ["UPDATE"]}
    ]
    assert "priv:table:UPDATE@sales.orders" in permission("app_rw").fact_tokens


def test_memberships_that_cannot_be_read_keep_their_effect(orders_db):
    things = account("alice"), role("dba"), grant("dba", "SUPER")
    run(orders_db, *things, member("alice", "dba"))
    run(orders_db, *things, sections=[denied("memberships")], day=1)
    assert permission("alice").is_superuser
    assert len(changes("alice")) == 1


def test_the_same_denial_twice_writes_nothing(orders_db):
    run(orders_db, account("app_rw"), grant("app_rw", "UPDATE", "sales.orders"))
    run(orders_db, account("app_rw"), sections=[denied("table")], day=1)
    again = denied("table", "SELECT command denied (connection 4711)")
    assert run(orders_db, account("app_rw"), sections=[again], day=2).changed_ids == []


def test_a_list_of_accounts_that_is_not_complete_changes_nothing(orders_db):
    run(orders_db, account("app_rw"), account("dba_li"))
    with pytest.raises(IncompleteAccounts, match="could not be read: SELECT command denied"):
        run(orders_db, account("app_rw"), sections=[denied("accounts")], day=1)
    with pytest.raises(IncompleteAccounts, match="no account at all"):
        run(orders_db, day=1)
    assert InstanceAccount.objects.filter(is_active=True).count() == 2


def test_a_failure_in_the_middle_leaves_nothing_behind(orders_db):
    class Broken(PlainRules):
        def capabilities(self, principal, observation):
            if principal.account.username == "dba_li":
                raise RuntimeError("boom")
            return ()

    with pytest.raises(RuntimeError, match="boom"):
        apply(orders_db, observe(account("app_rw"), account("dba_li")), rules=Broken())
    assert not InstanceAccount.objects.exists()
    assert not AccountChangeLog.objects.exists()


NAMES = ["o'brien", "100%_x@%", 'quo"te', "root\\", "🐳", "Root", "root", "x" * 399, "tab\tline\n"]


def test_awkward_names_are_kept_as_they_are(orders_db):
    run(orders_db, *(account(name) for name in NAMES), grant("🐳", "SELECT", 'a"b.c%'))
    assert set(InstanceAccount.objects.values_list("username", flat=True)) == set(NAMES)
    assert run(orders_db, *map(account, NAMES), grant("🐳", "SELECT", 'a"b.c%')).changed_ids == []


def test_names_that_no_text_can_hold_stay_apart(orders_db):
    names = ["a\x00b", "a\u2400b", "\udc80", "x" * 500, "x" * 501]
    things = [account(name) for name in names] + [grant("a\x00b", "SELECT", "d\x00b")]
    run(orders_db, *things)
    assert InstanceAccount.objects.count() == 5
    assert run(orders_db, *things, day=1).counts["unchanged"] == 5
