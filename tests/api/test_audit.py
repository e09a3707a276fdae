"""Who did what is in the audit log, and no secret is."""

from __future__ import annotations

import json

import pytest
from django.core import serializers as dump

from tests.api.cast import SECRET, credential, instance
from tests.api.conftest import PASSWORD, client_of, person, token_client
from whalefall.models import AuditEntry

pytestmark = pytest.mark.django_db
API = "/api/v1"


def entry() -> AuditEntry:
    return AuditEntry.objects.get()


def test_a_write_names_who_what_when_and_the_request(administrator):
    body = {"name": "collector", "username": "whalefall", "password": SECRET}
    response = administrator.post(f"{API}/credentials", body)
    found = entry()
    assert (found.username, found.via, found.action) == ("ada", "api", "create")
    assert (found.object_type, found.object_name) == ("instances.credential", "collector")
    assert (found.result, found.status) == ("done", 201)
    assert found.details == {"fields": ["name", "password", "username"]}
    assert found.request_id == response["X-Request-ID"]


def test_no_value_is_kept(administrator):
    body = {"name": "collector", "username": "whalefall", "password": SECRET}
    administrator.post(f"{API}/credentials", body)
    administrator.post(f"{API}/users", {"username": "new", "password": SECRET})
    administrator.post(f"{API}/auth/tokens", {"name": "script"})
    kept = dump.serialize("json", AuditEntry.objects.all())
    assert SECRET not in kept
    assert AuditEntry.objects.count() == 3


def test_reading_leaves_no_entry(viewer):
    viewer.get(f"{API}/instances")
    viewer.post(f"{API}/accounts/classifications/rules/actions/validate-expression", {})
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("credentials", "list"),
        ("instances/exports", "exports"),
        ("accounts/ledgers/exports", "exports"),
    ],
)
def test_looks_at_credentials_and_exports_are_kept(viewer, path, action):
    viewer.get(f"{API}/{path}")
    assert (entry().username, entry().action) == ("vera", action)


def test_a_look_at_one_credential_names_it(viewer):
    viewer.get(f"{API}/credentials/{credential().pk}")
    assert (entry().action, entry().object_name) == ("retrieve", "collector")


def test_what_was_refused_is_kept_as_refused(viewer):
    viewer.delete(f"{API}/instances/{instance().pk}")
    assert (entry().username, entry().result, entry().status) == ("vera", "refused", 403)


def test_a_deleted_object_keeps_its_name(administrator):
    administrator.delete(f"{API}/instances/{instance().pk}")
    assert (entry().action, entry().object_name) == ("destroy", "orders-db")


def test_the_ids_of_a_batch_are_kept(administrator):
    pk = instance().pk
    administrator.post(f"{API}/instances/actions/batch-delete", {"instance_ids": [pk]})
    assert entry().details == {"fields": ["instance_ids"], "instance_ids": [pk]}


def test_a_token_is_named_by_its_prefix():
    ada = person("ada", "administrator")
    token_client(ada).delete(f"{API}/instances/{instance().pk}")
    assert entry().token == ada.api_tokens.get().prefix


def test_logins_and_logouts_are_kept():
    person("vera", "viewer")
    client = client_of()
    client.post(f"{API}/auth/login", {"username": "vera", "password": PASSWORD})
    client.post(f"{API}/auth/logout")
    found = AuditEntry.objects.order_by("id").values_list("username", "action", "result")
    assert list(found) == [("vera", "login", "done"), ("vera", "logout", "done")]


def test_a_failed_login_names_only_people_there_are():
    person("vera", "viewer")
    for name in ("vera", "my-password-by-mistake"):
        client_of().post(f"{API}/auth/login", {"username": name, "password": "wrong"})
    found = AuditEntry.objects.order_by("id").values_list("username", "result")
    assert list(found) == [("vera", "refused"), ("(unknown)", "refused")]


def test_it_outlives_the_person(administrator):
    amy = person("amy", "administrator")
    client_of(amy).delete(f"{API}/instances/{instance().pk}")
    administrator.delete(f"{API}/users/{amy.pk}")
    assert AuditEntry.objects.filter(username="amy", user=None).count() == 1


def test_a_failed_login_is_not_put_down_to_who_is_logged_in(viewer):
    person("otto", "operator")
    viewer.post(f"{API}/auth/login", {"username": "otto", "password": "wrong"})
    assert (entry().username, entry().user) == ("otto", None)


@pytest.mark.parametrize("role", [None, "viewer"])
def test_every_try_during_a_lockout_is_kept(everyone, role):
    for _try in range(7):
        body = {"username": "otto", "password": "wrong"}
        everyone[role].post(f"{API}/auth/login", body)
    found = AuditEntry.objects.order_by("id").values_list("status", flat=True)
    assert list(found) == [401, 401, 401, 401, 429, 429, 429]


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "n" * 5000], ids=("half", "null", "long"))
def test_no_name_of_a_field_keeps_a_write_out_of_the_log(administrator, name):
    body = json.dumps({"plain": 1, name: 1})
    url = f"{API}/auth/sessions/actions/end-others"
    administrator.post(url, body, content_type="application/json")
    found = entry()
    assert (found.action, found.result) == ("end_others", "done")
    assert len(found.details["fields"]) == 2
