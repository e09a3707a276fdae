"""Secrets are planted, everything that handles them runs for real, and nothing that stays behind
holds one: no table, no line of a log, no key of Redis, no argument or environment of a process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import redis as redis_client
import requests
from cryptography.fernet import Fernet
from django.db import connection

from tests import secret_scan
from tests.planted import registry
from tests.servers.base import free_port, wait_until
from tests.sync import cluster
from whalefall.models import AuditEntry, User

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
PERSON = "the-persons-own-w0rd/+?"
# Quotes, spaces and signs on purpose: escaping must not hide a leak, nor cause one.
PLANTED = {
    "SECRET_KEY": "planted-django-key-of-60-characters-0123456789-abcdefghijkl",
    "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    "password of the store": "planted-st0re-word",
    "password of the administrator": PERSON,
    "new password": "a-new-w0rd of the same person",
    "wrong password": "almost-the-right-w0rd",
    "password of the collector": "planted c0llector'word",
    "password that the server refuses": "planted-refused&w0rd",
    "password in parameters": "planted-in-parameters-w0rd",
    "secret of the webhook": "planted-webhook-secret-0123",
    "token in an address": "planted0robot0token0in0path",
}
IN_ENVIRONMENT = ("SECRET_KEY", "CREDENTIAL_KEYS", "password of the store")
"""Where the operator puts them; no other may stand there."""


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def receiver() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


class System:
    """Web and workers as in production, but for HTTPS; their output in one file each."""

    def __init__(self, redis: Any, folder: Any) -> None:
        url = cluster.store_url().replace(
            "postgres@", f"postgres:{PLANTED['password of the store']}@"
        )
        self.folder, self.port, self.groups = folder, free_port(), []
        self.environment = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": PLANTED["SECRET_KEY"],
            "CREDENTIAL_KEYS": PLANTED["CREDENTIAL_KEYS"],
            "WHALEFALL_WORKERS": "1",
            "WHALEFALL_LOG_TO_STORE": "1",
            "WHALEFALL_LOG_LEVEL": "DEBUG",
            "WHALEFALL_NOTIFY_NETWORKS": "127.0.0.0/8",
            "DJANGO_SETTINGS_MODULE": "whalefall.settings",
        }

    @contextmanager
    def running(self, name: str, *words: str) -> Iterator[None]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=cluster.ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.groups.append(process.pid)
        try:
            yield
        finally:
            process.terminate()  # its children hear of it from their parent
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def manage(self, *words: str, **secrets: str) -> None:
        with (self.folder / "commands.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=cluster.ROOT,
                env={**self.environment, **secrets},
                stdout=log,
                stderr=log,
                check=True,
            )

    def web(self) -> Any:
        address = f"127.0.0.1:{self.port}"
        words = ("-m", "gunicorn", "whalefall.wsgi", "--bind", address, "--access-logfile", "-")
        return self.running("web", *words)

    def answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/api/v1/health/ping", timeout=5).ok
        except requests.RequestException:
            return False


class Person:
    """Somebody at the API, with a session or a token."""

    def __init__(self, port: int, token: str = "") -> None:
        self.base = f"http://127.0.0.1:{port}/api/v1"
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, expected: int, **body: Any) -> Any:
        csrf = self.session.get(f"{self.base}/auth/csrf-token").json()["data"]["csrf_token"]
        headers = {"X-CSRFToken": csrf, "Referer": self.base}
        answer = self.session.request(
            method, self.base + path, json=body, headers=headers, timeout=60
        )
        assert answer.status_code == expected, answer.text
        return answer.json()["data"] if expected < 300 else None

    def log_in(self, word: str, expected: int = 200) -> None:
        self.send("POST", "/auth/login", expected, username="ada", password=word)


def tell_the_story(system: System, mariadb: Any, hook: int) -> str:
    """Everything that takes a secret, gone well and gone wrong. Returns the text of the token."""
    ada = Person(system.port)
    ada.log_in(PLANTED["wrong password"], 401)
    ada.log_in(PERSON)
    parameters = {"db_type": "mysql", "host": "127.0.0.1", "port": mariadb.port, "tls_mode": "off"}
    wrong = {"username": "whalefall", "password": PLANTED["password in parameters"]}
    ada.send("POST", "/instances/actions/test-connection", 409, **parameters, **wrong)
    ada.send("POST", "/instances/actions/validate-connection-params", 200, **parameters, **wrong)
    refused = {"username": "whalefall", "password": PLANTED["password that the server refuses"]}
    login = ada.send("POST", "/credentials", 201, name="refused", **refused)["id"]
    ada.send("POST", "/credentials", 400, name="refused", **refused)
    ada.send("PUT", f"/credentials/{login}", 400, **refused)
    instance = {**parameters, "name": "orders-2", "database_name": "mysql", "credential": login}
    ada.send("POST", "/instances", 201, **instance)
    # Something that is no JSON, with a secret in it.
    ada.session.post(f"{ada.base}/credentials", data=f'{{"password": "{PERSON}')
    session = ada.send("POST", "/instances/actions/sync-accounts", 202)["session_id"]
    wait_until(lambda: ended(ada, session), "the session", 120)
    found = ada.session.get(f"{ada.base}/sync-sessions/{session}").json()["data"]
    assert (found["successful_instances"], found["failed_instances"]) == (1, 1)
    url = f"http://127.0.0.1:{hook}/robot/{PLANTED['token in an address']}"
    secret = PLANTED["secret of the webhook"]
    channel = {"name": "hook", "kind": "webhook", "url": url, "secret": secret}
    channel = ada.send("POST", "/notifications/channels", 201, **channel)["id"]
    ada.send("POST", f"/notifications/channels/{channel}/actions/test", 200)
    token = ada.send("POST", "/auth/tokens", 201, name="script", scope="full")["token"]
    script = Person(system.port, token)
    assert script.session.get(f"{script.base}/accounts/ledgers/exports").ok
    Person(system.port, token + "x").session.get(f"{script.base}/instances")
    words = {"old_password": PERSON, "new_password": PLANTED["new password"]}
    ada.send("POST", "/auth/change-password", 400, **(words | {"new_password": PERSON[:6]}))
    ada.send("POST", "/auth/change-password", 200, **words)
    console(system.port)
    return token


def ended(ada: Person, session: str) -> bool:
    found = ada.session.get(f"{ada.base}/sync-sessions/{session}").json()["data"]
    return found["status"] != "running"


def console(port: int) -> None:
    """The login form, wrongly and rightly."""
    browser = requests.Session()
    browser.trust_env = False
    page = f"http://127.0.0.1:{port}/admin/login/"
    for word in (PLANTED["wrong password"], PLANTED["new password"]):
        browser.get(page)
        form = {"username": "ada", "password": word}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        answer = browser.post(page, data=form, headers={"Referer": page})
    assert "/admin/logout/" in answer.text


def store_log() -> bytes:
    """What the store itself wrote about statements that failed."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        (folder,) = cursor.fetchone()
    from pathlib import Path

    logs = [*Path(folder).glob("log"), *Path(folder).glob("**/*.log")]
    return b"".join(log.read_bytes() for log in logs if log.is_file())


def test_nothing_that_stays_behind_holds_a_secret(mariadb, redis, tmp_path):
    for name, text in PLANTED.items():
        registry.plant(text, name)
    word = PLANTED["password of the collector"].replace("'", "''")
    mariadb.reset()
    mariadb.execute(
        f"CREATE USER whalefall@'127.0.0.1' IDENTIFIED BY '{word}'",
        "GRANT SELECT ON mysql.* TO whalefall@'127.0.0.1'",
    )
    system, found = System(redis, tmp_path), set()
    client = redis_client.Redis.from_url(redis.url)
    client.flushall()
    User.objects.create_superuser("ada", password=PERSON)
    system.manage(
        *("add_instance", "orders-db", "--engine", "mysql", "--host", "127.0.0.1"),
        *("--port", str(mariadb.port), "--tls", "off", "--username", "whalefall"),
        *("--password-env", "COLLECTOR"),
        COLLECTOR=PLANTED["password of the collector"],
    )
    with ExitStack() as stack:
        hook = stack.enter_context(receiver())
        stack.enter_context(system.web())
        wait_until(system.answers, "the web server", 120)
        stack.enter_context(system.running("workers", "manage.py", "qcluster"))
        token = tell_the_story(system, mariadb, hook)
        planted = {**PLANTED, "API token": token, "secret part of it": token[16:]}
        time.sleep(1.5)  # the log in the store is written within a second
        others = {name: text for name, text in planted.items() if name not in IN_ENVIRONMENT}
        looked_at = 0
        for name, arguments, environment in secret_scan.processes(system.groups):
            found |= secret_scan.leaks(f"{name}, arguments", arguments, planted)
            found |= secret_scan.leaks(f"{name}, environment", environment, others)
            looked_at += 1
        assert looked_at > 3  # both parents and children of theirs
        with connection.cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity")
            queries = "\n".join(row[0] or "" for row in cursor.fetchall())
        found |= secret_scan.leaks("queries", queries.encode(), planted)
        for key, data in secret_scan.redis_keys(client):
            found |= secret_scan.leaks(f"Redis {key}", data, planted)
    # Whoever steps down says a last word.
    for key, data in secret_scan.redis_keys(client):
        found |= secret_scan.leaks(f"Redis {key}", data, planted)
    seen = {}
    with connection.cursor() as cursor:
        for table, data in secret_scan.tables(cursor):
            seen[table] = len(data)
            found |= secret_scan.leaks(f"table {table}", data, planted)
    for log in tmp_path.glob("*.log"):
        assert log.stat().st_size, log
        found |= secret_scan.leaks(log.name, log.read_bytes(), planted)
    found |= secret_scan.leaks("the store's log", store_log(), planted)
    assert found == set()
    assert AuditEntry.objects.get(action="add_instance").via == "command"
    # It was all there to be looked at.
    for table in ("credentials", "audit_log", "unified_logs", "logins", "api_tokens"):
        assert seen[table], table
    assert {"django_q_task", "sync_instance_records", "notification_deliveries"} <= set(seen)
