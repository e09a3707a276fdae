"""The watched fleet: fill the servers, create the collectors, register the instances."""

from __future__ import annotations

import io
import os
import secrets
import shutil

from django.core.management import call_command

from demo.servers import Watched
from whalefall.instances.models import Instance

NOTE = "Simulated: a stand-in that speaks the product's protocol, not the product itself."

PASSWORD_VARIABLE = "DEMO_COLLECTOR_PASSWORD"


def refill(server: Watched) -> None:
    """Start with nothing, then run the fleet's script. What WhaleFall stored before stays."""
    shutil.rmtree(server.folder / "data", ignore_errors=True)
    server.start()
    server.fill()


def register(server: Watched) -> None:
    """Create the collector's login as `collector_grants` says, and make the instance known.

    An instance of an earlier run gets the new port and password instead.
    """
    password = secrets.token_urlsafe(18)
    words = ["--login", server.collector, "--server-version", server.version()]
    server.create_collector(command("collector_grants", server.db_type, *words), password)
    known = Instance.objects.filter(name=server.instance).first()
    if known is None:
        os.environ[PASSWORD_VARIABLE] = password
        try:
            command("add_instance", server.instance, *_endpoint(server))
        finally:
            del os.environ[PASSWORD_VARIABLE]
        return
    moved(server)
    assert known.credential is not None  # add_instance gave it one
    known.credential.password = password
    known.credential.save()


def _endpoint(server: Watched) -> list[str]:
    words = ["--engine", server.db_type, "--host", server.host, "--port", str(server.port)]
    words += ["--username", server.collector.partition("@")[0], "--password-env", PASSWORD_VARIABLE]
    words += ["--tls", server.tls, "--tag", "demo"]
    if server.database:
        words += ["--database", server.database]
    if server.simulated:
        words += ["--tag", "simulated", "--description", NOTE]
    return words


def moved(server: Watched) -> None:
    """Tell the registered instance the port of today: the old one may have been taken."""
    Instance.objects.filter(name=server.instance).update(port=server.port, deleted_at=None)


def command(name: str, *words: str) -> str:
    """The output of `manage.py NAME WORDS`. Raises CommandError with its one line."""
    out = io.StringIO()
    call_command(name, *words, stdout=out)
    return out.getvalue()
