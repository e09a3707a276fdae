"""The embedded store: started when needed, back after a crash."""

import os
import signal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from whalefall.store import embedded

pytestmark = pytest.mark.django_db(transaction=True)


def store() -> Path:
    return Path(settings.DATABASES["default"]["OPTIONS"]["embedded_folder"])


def test_it_answers_without_any_set_up():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        assert cursor.fetchone()[0] >= 180000


def test_its_socket_belongs_to_the_owner_alone():
    with connection.cursor() as cursor:
        cursor.execute("SHOW unix_socket_permissions")
        assert cursor.fetchone()[0] == "0700"


@pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="the workers share the store")
def test_it_is_started_again_after_a_crash():
    pid = embedded.server_info(store()).pid
    os.kill(pid, signal.SIGQUIT)
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert embedded.server_info(store()).pid != pid
