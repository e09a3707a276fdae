"""Every answer stands in the envelope, the bad ones too."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.api.conftest import client_of
from tests.api.envelope import check_failed, check_ok
from whalefall.api import ApiError
from whalefall.engines.errors import LoginRefused
from whalefall.urls import api, handler400, handler500, urlpatterns

RAISED = {
    "integrity": IntegrityError("duplicate key (hunter2)"),
    "data": DataError("hunter2 out of range"),
    "query": DatabaseError("syntax error at hunter2"),
    "away": OperationalError("hunter2 refused"),
    "engine": LoginRefused("The server refused the login.", "Check the password."),
    "bug": RuntimeError("hunter2"),
    "said": ApiError("TAG_IN_USE", "In use.", 409),
}


class Raising(APIView):
    permission_classes = ()
    schema = None

    def get(self, request, name):
        raise RAISED[name]

    def post(self, request, name):
        return Response(request.data)


urlpatterns = [path("api/v1/raise/<name>", Raising.as_view()), *urlpatterns]
__all__ = ["api", "handler400", "handler500"]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("integrity", 409, "CONSTRAINT_VIOLATION"),
        ("data", 400, "VALIDATION_ERROR"),
        ("query", 500, "DATABASE_QUERY_ERROR"),
        ("away", 503, "DATABASE_QUERY_ERROR"),
        ("engine", 409, "DATABASE_CONNECTION_ERROR"),
        ("bug", 500, "INTERNAL_ERROR"),
        ("said", 409, "TAG_IN_USE"),
    ],
)
def test_an_exception_is_answered_without_its_detail(nobody, name, status, code):
    response = nobody.get(f"/api/v1/raise/{name}")
    check_failed(response, status, code)
    assert b"hunter2" not in response.content


def test_an_engine_s_error_says_what_to_do(nobody):
    body = check_failed(nobody.get("/api/v1/raise/engine"), 409, "DATABASE_CONNECTION_ERROR")
    assert body["message"] == "The server refused the login. Check the password."


@pytest.mark.parametrize("url", ["/api/v1/nowhere", "/api/v1", "/api/v2/x", "/api/v1/instances/"])
def test_an_unknown_path_is_a_404(viewer, url):
    assert url in check_failed(viewer.get(url), 404, "RESOURCE_NOT_FOUND")["message"]


def test_a_method_that_is_not_there_is_a_405_where_nobody_logs_in(client):
    for method in ("post", "delete", "trace"):
        check_failed(getattr(client, method)("/api/v1/health"), 405, "METHOD_NOT_ALLOWED")


def test_a_method_that_is_not_there_is_a_405_for_everybody_logged_in(viewer):
    check_failed(viewer.delete("/api/v1/auth/me"), 405, "METHOD_NOT_ALLOWED")


def test_another_media_type_is_a_415(nobody):
    response = nobody.post("/api/v1/raise/x", "a=1", content_type="text/plain")
    check_failed(response, 415, "INVALID_REQUEST")


def test_an_accept_header_that_cannot_be_met_is_a_406(nobody):
    check_failed(nobody.get("/api/v1/health/ping", HTTP_ACCEPT="image/png"), 406, "INVALID_REQUEST")


def test_broken_json_is_a_400(nobody):
    response = nobody.post("/api/v1/raise/x", "{", content_type="application/json")
    assert "JSON parse error" in check_failed(response, 400, "INVALID_REQUEST")["message"]


def test_a_refused_host_is_a_400(nobody, settings):
    settings.ALLOWED_HOSTS = ["whalefall.test"]
    body = nobody.get("/api/v1/nowhere", HTTP_HOST="evil.test").json()
    assert body["message_code"] == "INVALID_REQUEST"


def test_an_empty_write_is_told_apart(administrator):
    check_failed(administrator.post("/api/v1/auth/change-password", {}), 400, "REQUEST_DATA_EMPTY")


def test_the_browsable_api_shows_the_envelope(viewer):
    page = viewer.get("/api/v1/auth/me", HTTP_ACCEPT="text/html")
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert "&quot;success&quot;: true" in page.content.decode()


def test_the_browsable_api_shows_refusals_in_the_envelope(nobody):
    page = nobody.get("/api/v1/auth/me", HTTP_ACCEPT="text/html")
    assert page.status_code == 401
    assert "AUTHENTICATION_REQUIRED" in page.content.decode()


def test_health_is_public(nobody):
    for url in ("/api/v1/health", "/api/v1/health/ping", "/api/v1/health/basic"):
        assert check_ok(nobody.get(url)) == {"status": "ok"}


def test_health_is_a_503_when_the_store_is_away(nobody, monkeypatch):
    def refuse():
        raise OperationalError("connection to server at 10.1.2.3 refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = nobody.get("/api/v1/health/basic")
    check_failed(response, 503, "DATABASE_QUERY_ERROR")
    assert b"10.1.2.3" not in response.content
    check_ok(nobody.get("/api/v1/health/ping"))


def test_the_schema_and_the_docs_need_a_login(viewer, nobody):
    check_failed(nobody.get("/api/v1/openapi.json"), 401, "AUTHENTICATION_REQUIRED")
    assert nobody.get("/api/v1/docs").status_code == 302
    assert viewer.get("/api/v1/openapi.json").json()["openapi"]


def test_the_docs_load_nothing_from_outside(viewer):
    page = viewer.get("/api/v1/docs").content.decode()
    assert "swagger-ui" in page
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page


def test_the_roles_are_there_after_migration():
    from django.contrib.auth.models import Group

    assert {"viewer", "operator", "administrator"} <= set(
        Group.objects.values_list("name", flat=True)
    )


def test_logout_works_for_who_is_logged_in():
    check_failed(client_of().post("/api/v1/auth/logout"), 401, "AUTHENTICATION_REQUIRED")
