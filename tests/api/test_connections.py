"""Connection tests and syncs through the API, on a real PostgreSQL."""

from __future__ import annotations

import pytest

from sync.models import SyncSession
from tests.api.cast import SECRET, credential, instance
from tests.api.envelope import check_failed, check_ok, errors
from tests.servers.base import free_port
from tests.sync import cast
from tests.sync.conftest import postgresql  # noqa: F401 - a fixture
from whalefall.instances.models import Instance

URL = "/api/v1/instances"
TEST = f"{URL}/actions/test-connection"
BATCH = f"{URL}/actions/batch-test-connections"


@pytest.fixture
def stock_db(transactional_db, postgresql) -> Instance:  # noqa: F811
    return cast.on("stock-db", postgresql, db_type="postgresql", database_name="postgres")


@pytest.fixture
def closed(db) -> Instance:
    """An instance at a port where nobody listens."""
    port = free_port()
    return instance(
        "closed-db",
        db_type="postgresql",
        host="127.0.0.1",
        port=port,
        credential=credential("reader"),
    )


@pytest.mark.live
def test_a_stored_instance_answers_with_its_version(operator, stock_db):
    data = check_ok(operator.post(TEST, {"instance_id": stock_db.pk}))
    assert data["main_version"].startswith("18")
    assert (data["success"], data["missing"]) == (True, [])
    status = check_ok(operator.get(f"{URL}/{stock_db.pk}/connection-status"))
    assert status["status"] == "connected"


@pytest.mark.live
def test_parameters_are_tested_without_an_instance(operator, stock_db, postgresql):  # noqa: F811
    body = {
        "db_type": "postgresql",
        "host": postgresql.host,
        "port": postgresql.port,
        "username": postgresql.admin_username,
        "password": postgresql.admin_password,
        "tls_mode": "off",
    }
    assert check_ok(operator.post(TEST, body))["vendor"] == "PostgreSQL"


def test_a_closed_port_is_a_409_with_the_reason(operator, closed):
    response = operator.post(TEST, {"instance_id": closed.pk})
    body = check_failed(response, 409, "DATABASE_CONNECTION_ERROR")
    assert str(closed.port) in body["message"]
    assert SECRET.encode() not in response.content


def test_an_instance_without_a_credential_is_a_409(operator):
    bare = instance("bare-db")
    body = check_failed(
        operator.post(TEST, {"instance_id": bare.pk}), 409, "DATABASE_CONNECTION_ERROR"
    )
    assert body["message"] == "Instance bare-db has no active credential."


def test_only_an_administrator_sends_a_stored_credential_elsewhere(operator, administrator):
    body = {
        "db_type": "postgresql",
        "host": "127.0.0.1",
        "port": free_port(),
        "credential": credential().pk,
    }
    check_failed(operator.post(TEST, body), 403, "PERMISSION_REQUIRED")
    check_failed(administrator.post(TEST, body), 409, "DATABASE_CONNECTION_ERROR")


def test_parameters_need_a_login(operator):
    body = {"db_type": "mysql", "host": "h", "port": 1, "username": "u"}
    found = errors(operator.post(TEST, body))
    assert found == {"credential": "Give a credential, or a user name and a password."}


@pytest.mark.live
def test_many_are_tested_side_by_side(operator, stock_db, closed):
    data = check_ok(operator.post(BATCH, {"instance_ids": [stock_db.pk, closed.pk]}))
    assert (data["successful"], data["failed"]) == (1, 1)
    assert [(r["name"], r["success"]) for r in data["results"]] == [
        ("stock-db", True),
        ("closed-db", False),
    ]


def test_a_batch_names_unknown_ids_and_has_an_end(operator, closed):
    response = operator.post(BATCH, {"instance_ids": [closed.pk, 998000000, 999000000]})
    body = check_failed(response, 404, "RESOURCE_NOT_FOUND")
    assert body["message"] == "No such instances: 998000000, 999000000."
    assert "instance_ids" in errors(operator.post(BATCH, {"instance_ids": list(range(1, 60))}))


def test_parameters_are_checked_without_connecting(operator):
    url = f"{URL}/actions/validate-connection-params"
    good = {"db_type": "mysql", "host": "h", "port": 3306, "username": "u", "password": SECRET}
    assert check_ok(operator.post(url, good)) == {"valid": True}
    response = operator.post(url, good | {"port": 99999, "tls_mode": "x"})
    assert set(errors(response)) == {"port", "tls_mode"}
    assert SECRET.encode() not in response.content


@pytest.mark.live
def test_one_instance_is_synchronised_in_place(operator, stock_db):
    data = check_ok(operator.post(f"{URL}/{stock_db.pk}/actions/sync-accounts"))
    assert data["success"] is True
    assert data["counts"]["created"] == data["counts"]["synced"] > 0
    ledger = check_ok(operator.get("/api/v1/accounts/ledgers", {"is_superuser": "true"}))
    (item,) = ledger["items"]
    permissions = check_ok(operator.get(f"/api/v1/accounts/ledgers/{item['id']}/permissions"))
    assert "SUPERUSER" in [each["name"] for each in permissions["capabilities"]]


@pytest.mark.django_db(transaction=True)
def test_a_server_that_cannot_be_read_is_a_409(operator, closed):
    response = operator.post(f"{URL}/{closed.pk}/actions/sync-accounts")
    check_failed(response, 409, "DATABASE_CONNECTION_ERROR")


@pytest.mark.django_db(transaction=True)
def test_an_instance_that_is_switched_off_is_not_synchronised(operator):
    off = instance("off-db", is_active=False)
    response = operator.post(f"{URL}/{off.pk}/actions/sync-accounts")
    assert "off-db is not watched" in check_failed(response, 409, "SYNC_DATA_ERROR")["message"]


def test_all_instances_are_synchronised_as_a_session(operator):
    for name in ("a", "b"):
        instance(name)
    instance("off", is_active=False)
    data = check_ok(operator.post(f"{URL}/actions/sync-accounts", {}), 202)
    assert data["total_instances"] == 2
    found = SyncSession.objects.get(session_id=data["session_id"])
    assert (found.sync_type, found.created_by.username) == ("manual_batch", "otto")


def test_some_instances_are_synchronised_as_a_session(operator):
    wanted = instance("a")
    instance("b")
    url = f"{URL}/actions/sync-accounts"
    assert check_ok(operator.post(url, {"instance_ids": [wanted.pk]}), 202)["total_instances"] == 1
    body = check_failed(
        operator.post(url, {"instance_ids": [wanted.pk, 999000000]}), 400, "VALIDATION_ERROR"
    )
    assert body["message"] == "Not watched, or not there: 999000000."


def test_no_instance_no_session(operator):
    check_failed(operator.post(f"{URL}/actions/sync-accounts"), 409, "SYNC_DATA_ERROR")
    assert not SyncSession.objects.exists()
