"""What Prometheus and probes are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule
from prometheus_client.parser import text_string_to_metric_families

from sync import queue
from tests.api.cast import account, assigned, classification, instance
from tests.api.conftest import person, token_client
from tests.api.envelope import check_failed, check_ok
from tests.sync import cast

pytestmark = pytest.mark.django_db
DETAILED = "/api/v1/health/detailed"


@pytest.fixture(autouse=True)
def _fresh():
    cache.clear()


@pytest.fixture
def worker():
    # However long ago the store of this test run was made, nothing is due yet.
    Schedule.objects.update(next_run=timezone.now() + timedelta(hours=1))
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [queue.CLUSTER_NAME])
        yield
    other.close()


def scraped(client) -> dict[tuple[str, ...], float]:
    """(name, value of each label in the order of their names ...) -> number."""
    response = client.get("/metrics", HTTP_ACCEPT="application/openmetrics-text;version=1.0.0")
    assert response.status_code == 200, response.content
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_a_scraper_comes_with_the_token_of_a_viewer():
    assert scraped(token_client(person("prometheus", "viewer"), "read"))


def test_others_are_refused(nobody):
    check_failed(nobody.get("/metrics"), 401, "AUTHENTICATION_REQUIRED")


def test_it_counts_the_fleet_and_what_was_found(viewer):
    assigned(account(on=instance()), classification(risk_level="critical"))
    instance("idle-db", is_active=False)
    found = scraped(viewer)
    assert found["whalefall_instances", "true", "mysql"] == 1
    assert found["whalefall_instances", "false", "mysql"] == 1
    assert found["whalefall_accounts", "mysql"] == 1
    assert found["whalefall_classifications", "critical"] == 1


def test_it_counts_sessions_and_records_by_outcome(viewer):
    cast.end(cast.session("orders-db"), "orders-db")
    found = scraped(viewer)
    assert found["whalefall_records", "account", "completed"] == 1
    assert found["whalefall_sessions", "account", "completed"] == 1


def test_it_knows_whether_a_worker_is_alive(viewer, worker):
    found = scraped(viewer)
    assert (found["whalefall_workers_alive",], found["whalefall_queue_depth",]) == (1, 0)


def test_without_a_worker_health_is_degraded_and_says_what_to_do(viewer):
    response = viewer.get(DETAILED)
    body = response.json()
    assert (response.status_code, body["message_code"]) == (503, "SERVICE_UNAVAILABLE")
    assert [(error["path"], error["message"]) for error in body["errors"]] == [
        ("workers", "No worker is alive: start one (manage.py qcluster).")
    ]
    data = body["data"]
    assert (data["status"], data["workers"]["alive"]) == ("degraded", False)
    assert (data["store"]["status"], data["cache"]["status"]) == ("ok", "ok")


def test_with_a_worker_all_is_well(viewer, worker):
    assert check_ok(viewer.get(DETAILED))["status"] == "ok"


def test_a_cache_that_forgets_is_degraded(viewer, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    response = viewer.get("/api/v1/health/cache")
    data = response.json()["data"]
    assert response.status_code == 503
    assert (data["status"], data["backend"]) == ("degraded", "DummyCache")


def test_a_job_that_no_scheduler_sees_is_overdue(viewer, worker):
    long_ago = timezone.now() - timedelta(hours=1)
    Schedule.objects.filter(name="sync_accounts").update(next_run=long_ago)
    Schedule.objects.filter(name="prune_history").update(next_run=long_ago, repeats=0)
    data = check_ok(viewer.get(DETAILED))
    assert (data["status"], data["schedules"]["message"]) == ("degraded", "Overdue: sync_accounts.")
