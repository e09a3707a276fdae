"""Logins on watched servers: the password goes in and never comes out."""

from __future__ import annotations

import pytest

from tests.api.cast import SECRET, credential, instance
from tests.api.envelope import check_failed, check_ok, errors
from whalefall.instances.models import Credential

pytestmark = pytest.mark.django_db
URL = "/api/v1/credentials"
BODY = {"name": "collector", "username": "whalefall", "password": SECRET, "db_type": "mysql"}


def test_no_answer_holds_the_password(administrator):
    created = administrator.post(URL, BODY)
    pk = check_ok(created, 201)["id"]
    answers = [
        created,
        administrator.get(URL),
        administrator.get(f"{URL}/{pk}"),
        administrator.get(f"{URL}/{pk}", HTTP_ACCEPT="text/html"),
        administrator.put(f"{URL}/{pk}", BODY | {"description": "again"}),
        administrator.put(f"{URL}/{pk}", BODY | {"name": ""}),
        administrator.get("/api/v1/instances"),
    ]
    assert all(SECRET.encode() not in answer.content for answer in answers)
    assert all(b'"password' not in answer.content for answer in answers[:3])
    assert Credential.objects.get().password == SECRET


def test_a_change_without_a_password_keeps_it(administrator):
    pk = credential().pk
    body = {"name": "reader", "username": "whalefall"}
    assert check_ok(administrator.put(f"{URL}/{pk}", body))["name"] == "reader"
    assert Credential.objects.get().password == SECRET


def test_a_new_one_needs_a_password(administrator):
    body = {"name": "reader", "username": "whalefall"}
    assert errors(administrator.post(URL, body)) == {"password": "This field is required."}


def test_a_name_is_taken_once(administrator):
    credential()
    assert errors(administrator.post(URL, BODY)) == {
        "name": "credential with this name already exists."
    }


def test_one_in_use_is_not_deleted(administrator):
    used = credential()
    instance(credential=used)
    body = check_failed(administrator.delete(f"{URL}/{used.pk}"), 409, "CONSTRAINT_VIOLATION")
    assert body["message"] == "Still used by: orders-db."


def test_one_out_of_use_is_deleted(administrator):
    assert check_ok(administrator.delete(f"{URL}/{credential().pk}")) is None
    assert not Credential.objects.exists()


def test_a_viewer_sees_the_count_of_instances(viewer):
    instance(credential=credential())
    (item,) = check_ok(viewer.get(URL))["items"]
    assert item["instance_count"] == 1
