"""The embedded store: started when needed, back after a crash."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from whalefall.store import embedded
from whalefall.store.base import DatabaseWrapper

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


def test_it_is_started_again_after_a_crash():
    folder = Path(tempfile.mkdtemp(prefix="whalefall-crash-")) / "store"
    own = store_of_its_own(folder)
    try:
        assert answer(own) == 1
        pid = embedded.server_info(folder).pid
        os.kill(pid, signal.SIGQUIT)
        own.close()
        assert answer(own) == 1
        assert embedded.server_info(folder).pid != pid
    finally:
        own.close()
        embedded.stop(folder)
        shutil.rmtree(folder.parent)


def store_of_its_own(folder: Path) -> DatabaseWrapper:
    options = {"embedded_folder": str(folder), "embedded_durable": False}
    return DatabaseWrapper(
        {**connection.settings_dict, "OPTIONS": options, "NAME": "own"}, "default"
    )


def answer(own: DatabaseWrapper) -> int:
    with own.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]
