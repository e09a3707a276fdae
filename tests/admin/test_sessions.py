"""Starting, watching, cancelling and retrying syncs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sync.models import SyncSession
from tests.admin import fleet
from tests.admin.reading import words

LIST = "/admin/sync/syncsession/"
INSTANCES = "/admin/instances/instance/"
YES = {"_form_submitted": "on"}


def press(client, obj_url, name):
    return client.post(f"{obj_url}{name}/", YES, follow=True).content.decode()


def run(client, url, action, *rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": "yes"}
    return client.post(url, data, follow=True).content.decode()


def test_an_operator_starts_a_sync_of_chosen_instances(operator, orders_db):
    page = run(operator, INSTANCES, "sync_accounts", orders_db, fleet.instance("stock-db"))
    assert "2 instances are being synchronised." in page
    session = SyncSession.objects.get()
    assert session.created_by.username == "operator"
    assert session.records.count() == 2


def test_paused_instances_are_left_out(operator, orders_db):
    orders_db.is_active = False
    orders_db.save()
    assert "None of these instances is watched." in run(
        operator, INSTANCES, "sync_accounts", orders_db
    )
    assert not SyncSession.objects.exists()


def test_the_button_leads_to_the_session(operator, orders_db):
    page = press(operator, f"{INSTANCES}{orders_db.pk}/", "sync_now")
    assert str(SyncSession.objects.get().session_id) in page


@pytest.mark.parametrize("name", ["sync_now", "test_connection"])
def test_a_viewer_cannot_press_buttons(viewer, orders_db, name):
    assert viewer.post(f"{INSTANCES}{orders_db.pk}/{name}/", YES).status_code == 403
    assert not SyncSession.objects.exists()


def part(client, session):
    return client.get(f"{LIST}{session.pk}/progress/")


def test_the_page_of_a_running_session_fetches_its_progress(viewer, orders_db):
    running = fleet.session(orders_db, status="running")
    page = viewer.get(f"{LIST}{running.pk}/change/").content.decode()
    assert f'hx-get="{LIST}{running.pk}/progress/" hx-swap="outerHTML" hx-trigger="every' in page
    assert "No worker is alive" in page


def test_what_is_fetched_is_the_state_of_now(viewer, orders_db):
    running = fleet.session(orders_db, fleet.instance("stock-db"), status="running")
    assert "waiting 2" in words(part(viewer, running))
    running.records.filter(instance=orders_db).update(status="completed", items_synced=42)
    progress = words(part(viewer, running))
    assert "waiting 1 completed 1" in progress
    assert "orders-db completed 42" in progress


def test_when_it_has_ended_the_page_is_loaded_once_more(viewer, orders_db):
    ended = fleet.session(orders_db, status="failed")
    assert part(viewer, ended)["HX-Refresh"] == "true"


def test_the_page_of_an_ended_session_stands_still(viewer, orders_db):
    ended = fleet.session(orders_db, status="failed")
    page = viewer.get(f"{LIST}{ended.pk}/change/").content.decode()
    assert 'hx-trigger="every 2s"' not in page
    assert "connection refused" in page


def test_failures_are_grouped_by_cause(viewer):
    names = ["orders-db", "stock-db", "users-db"]
    ended = fleet.session(*map(fleet.instance, names), status="failed")
    for number, record in enumerate(ended.records.all()):
        text = f"{record.instance_name}: {record.instance_name}.example:543{number} refused"
        record.error_message = text if number else "password authentication failed"
        record.save()
    page = words(viewer.get(f"{LIST}{ended.pk}/change/"))
    assert "2 instances …: …:… refused stock-db , users-db" in page
    assert "1 instance password authentication failed orders-db" in page


def test_a_session_that_was_retried_leads_to_the_retry(operator, orders_db):
    failed = fleet.session(orders_db, status="failed")
    press(operator, f"{LIST}{failed.pk}/", "retry")
    again = SyncSession.objects.get(retry_of=failed)
    page = operator.get(f"{LIST}{failed.pk}/change/").content.decode()
    assert f"{LIST}{again.pk}/change/" in page


def test_many_records_cost_no_more_queries(viewer):
    counts = []
    for size in (5, 250):
        instances = [fleet.instance(f"db-{size}-{n}") for n in range(size)]
        running = fleet.session(*instances, status="running")
        running.records.filter(pk__in=running.records.values("pk")[: size // 2]).update(
            status="failed", error_message="no route to host"
        )
        part(viewer, running)
        with CaptureQueriesContext(connection) as caught:
            assert part(viewer, running).status_code == 200
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 10


def test_progress_is_closed_to_who_has_no_role(nobody, orders_db):
    running = fleet.session(orders_db, status="running")
    assert part(nobody, running).url.startswith("/admin/login/")


def test_cancelling_takes_the_waiting_records_out(operator, orders_db):
    running = fleet.session(orders_db, status="running")
    press(operator, f"{LIST}{running.pk}/", "cancel")
    running.refresh_from_db()
    assert running.status == "cancelled"


def test_cancelling_an_ended_session_says_why_not(operator, orders_db):
    page = run(operator, LIST, "cancel_selected", fleet.session(orders_db))
    assert "0 sessions cancelled." in page
    assert "cannot be cancelled any more" in page


def test_retrying_starts_a_session_for_what_failed(operator, orders_db):
    failed = fleet.session(orders_db, status="failed")
    press(operator, f"{LIST}{failed.pk}/", "retry")
    assert SyncSession.objects.get(retry_of=failed).records.get().instance == orders_db


def test_only_what_the_state_allows_is_offered(operator, orders_db):
    ended = fleet.session(orders_db)
    page = operator.get(f"{LIST}{ended.pk}/change/").content.decode()
    assert f"{ended.pk}/cancel/" not in page
    assert f"{ended.pk}/retry/" not in page


def test_the_list_of_instances_shows_how_the_last_sync_went(viewer, orders_db):
    fleet.session(orders_db)
    fleet.session(orders_db, status="failed")
    page = viewer.get(INSTANCES).content.decode()
    assert 'title="connection refused"' in page


def test_a_connection_test_names_the_trouble(operator, orders_db):
    orders_db.host, orders_db.port = "127.0.0.1", 1
    orders_db.save()
    page = press(operator, f"{INSTANCES}{orders_db.pk}/", "test_connection")
    assert "orders-db: " in page
    assert fleet.SECRET not in page


def test_many_connections_are_not_tested_at_once(operator):
    instances = [fleet.instance(f"db-{i}") for i in range(11)]
    page = run(operator, INSTANCES, "test_connections", *instances)
    assert "Choose at most 10 instances to test." in page
