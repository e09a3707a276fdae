"""The store, the cache or the broker is really stopped: health tells it, and nothing else breaks
more than it has to. The web process is one of its own, as in production.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

from tests.api.conftest import client_of, person
from tests.planted.traces import process_output
from tests.servers.base import Unavailable, free_port, wait_until
from tests.servers.postgresql import PostgreSQL18
from tests.servers.redis import RedisServer

ROOT = Path(__file__).parents[2]
API = "/api/v1"


@dataclass
class Web:
    """gunicorn on the loopback."""

    port: int

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
        """Status and body: as JSON where it is."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request(method, path, headers=headers)
            response = line.getresponse()
            text = response.read().decode()
        finally:
            line.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(text) if is_json else text

    def answers(self) -> bool:
        try:
            return self.get(f"{API}/health/ping")[0] == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def store() -> Iterator[PostgreSQL18]:
    server = PostgreSQL18()
    try:
        server.start()
    except Unavailable as exc:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(exc))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def web(store: PostgreSQL18) -> Iterator[Web]:
    login = f"{store.admin_username}:{store.admin_password}"
    url = f"postgres://{login}@{store.host}:{store.port}/postgres"
    port = free_port()
    with process_output("web") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "whalefall.wsgi", "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url},
            stdout=log,
            stderr=log,
        )
    found = Web(port)
    wait_until(found.answers, "gunicorn", 60)
    yield found
    process.terminate()
    process.wait(20)


def halt(store: PostgreSQL18) -> None:
    """As a crash does it; the data stays."""
    store.process.send_signal(3)
    store.process.wait(20)


def test_a_store_that_stops_and_comes_back(store: PostgreSQL18, web: Web):
    assert web.get(f"{API}/health")[0] == 200
    halt(store)
    check_away(web)
    store.start()
    wait_until(lambda: web.get(f"{API}/health")[0] == 200, "the store to be seen again", 20)


def check_away(web: Web) -> None:
    """Only what needs no store answers well."""
    assert web.get(f"{API}/health/ping")[0] == 200
    assert web.get(f"{API}/nowhere")[0] == 404
    token = {"Authorization": "Bearer wf_0123456789ab_x"}
    for path in ("/health", "/health/basic", "/health/detailed", "/instances", "/sync-sessions"):
        status, body = web.get(API + path, **({} if "health/b" in path else token))
        assert (status, body["message_code"]) == (503, "DATABASE_QUERY_ERROR"), path
        assert body["message"] == "The store is away."
        assert len(body["request_id"]) == 32
        assert "port" not in json.dumps(body)
    cookie = {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}
    status, text = web.get("/admin/", **cookie)
    assert (status, text) == (503, "The store is away. Try again in a moment.")


@pytest.fixture
def redis(settings) -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
    except Unavailable as exc:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(exc))
    options = {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1}
    backend = "django_redis.cache.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": server.url, "OPTIONS": options}}
    yield server
    caches["default"].close()
    server.stop()


@pytest.mark.django_db
def test_a_redis_that_stops_is_told_and_costs_no_answer(redis: RedisServer):
    vera = client_of(person("vera", "viewer"))
    assert vera.get(f"{API}/health/cache").status_code == 200
    redis.stop()
    cache = vera.get(f"{API}/health/cache")
    assert (cache.status_code, cache.json()["data"]["status"]) == (503, "degraded")
    detailed = vera.get(f"{API}/health/detailed")
    assert detailed.status_code == 503
    assert "cache" in [error["path"] for error in detailed.json()["errors"]]
    for path in ("/instances", "/accounts/classifications/rules", "/auth/me"):
        assert vera.get(API + path).status_code == 200, path


@pytest.mark.django_db
def test_a_broker_that_stops_is_told_as_no_worker(redis: RedisServer, monkeypatch):
    from django_q.conf import Conf

    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", redis.url)
    vera = client_of(person("vera", "viewer"))
    redis.stop()
    response = vera.get(f"{API}/health/detailed")
    assert response.status_code == 503
    away = {error["path"] for error in response.json()["errors"]}
    assert away == {"cache", "workers", "queue"}
    assert redis.url not in response.content.decode()
