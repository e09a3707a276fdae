"""The one list of planted secrets: whatever goes in at a door for secrets stands in it.

The doors are the models (passwords of credentials and people, API tokens, addresses and secrets of
channels), the settings, and the fields of requests and commands that are called like a secret. A
test whose secret comes in by another way calls `plant`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

SHORTEST = 12
"""Shorter ones ("wrong", "12345", "s3cret") are words that stand in tables and logs for other
reasons: that they were found would prove nothing."""
FIELDS = re.compile(r"^(?!usable_|has_|csrf)\w*(passw|secret)\w*$|^token$", re.I)
VARIABLES = re.compile(r"PASSW|SECRET|TOKEN|KEYS?$")
FORM_FIELD = re.compile(rb'name="([^"]+)"\r\n\r\n(.*?)\r\n--', re.S)
SETTINGS = ("SECRET_KEY", "OIDC_CLIENT_SECRET", "LDAP_BIND_PASSWORD")
TOKEN_IN_URL = re.compile(r"(?=[\w-]*\d)[\w-]{12,}$")

FEWEST = 6
"""Different signs: "xxxxxxxxxxxx" is a word of that kind, too."""

_planted: dict[str, str] = {}
_unheard: list[bool] = []


@contextmanager
def made_up() -> Iterator[None]:
    """What a generator of requests makes up may be a name and a password at once: it is not planted
    meanwhile.
    """
    _unheard.append(True)
    try:
        yield
    finally:
        _unheard.pop()


def plant(text: Any, what: str) -> None:
    """From now on no trace of the run may hold `text`, unless it is too short to be told apart."""
    if isinstance(text, str):
        line = max(text.split("\n"), key=len)  # of a PEM, say
        usable = len(line) >= SHORTEST and len(set(line)) >= FEWEST and "\0" not in line
        if usable and not _unheard:
            _planted.setdefault(str(line), what)


def planted() -> dict[str, str]:
    """Each secret, and what it is."""
    return dict(_planted)


def listen() -> None:
    """Hear of secrets at every door of the product. Once per process, after Django is set up."""
    from django.contrib.auth import base_user
    from django.contrib.auth import models as auth_models
    from django.db.models.signals import post_save
    from django.test import RequestFactory

    from notify.models import Channel
    from whalefall.instances.models import Credential
    from whalefall.models import ApiTokenQuerySet

    post_save.connect(_credential, Credential, weak=False)
    post_save.connect(_channel, Channel, weak=False)
    for module in (base_user, auth_models):  # set_password, create_user
        _watch(module, "make_password", lambda given, made: _password(given))
    _watch(ApiTokenQuerySet, "issue", lambda given, made: _token(made[1]))
    _watch(RequestFactory, "generic", lambda given, made: _request(given))
    _settings()


def _watch(owner: Any, name: str, hear: Callable[[tuple[Any, ...], Any], None]) -> None:
    before = getattr(owner, name)

    @wraps(before)
    def watched(*args: Any, **kwargs: Any) -> Any:
        made = before(*args, **kwargs)
        hear((*args, *kwargs.values()), made)
        return made

    setattr(owner, name, watched)


def _credential(sender: Any, instance: Any, **kwargs: Any) -> None:
    plant(instance.password, "password of a credential")


def _channel(sender: Any, instance: Any, **kwargs: Any) -> None:
    plant(instance.secret, "secret of a channel")
    if found := TOKEN_IN_URL.search(instance.url or ""):
        plant(found.group(), "token in the address of a channel")


def _password(given: tuple[Any, ...]) -> None:
    if given:
        plant(given[0], "password of a person")


def _token(text: str) -> None:
    plant(text[16:], "API token")  # what comes before tells which one it is, and is shown


def _request(given: tuple[Any, ...]) -> None:
    """Fields of a request's body that are called like secrets: RequestFactory.generic(method,
    path, data, ...), the first its `self`.
    """
    data = given[3] if len(given) > 3 else b""
    body = data.encode() if isinstance(data, str) else data
    if isinstance(body, bytes):
        from_body(body)


def from_body(body: bytes) -> None:
    """The secrets in JSON or in a form."""
    for name, value in _fields(body):
        if FIELDS.search(name):
            plant(value, f"{name} in a request")


def _fields(body: bytes) -> Iterator[tuple[str, Any]]:
    try:
        yield from _walk(json.loads(body))
    except (ValueError, UnicodeDecodeError):
        for name, value in FORM_FIELD.findall(body):
            yield name.decode(errors="replace"), value.decode(errors="replace")


def _walk(data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        yield from data.items()
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _walk(part)


def _settings() -> None:
    """The keys of this run. (`SECRET_KEY` of the tests' own servers is planted by those.)"""
    from django.conf import settings

    for name in SETTINGS:
        plant(getattr(settings, name), name)
    for key in settings.CREDENTIAL_KEYS:
        plant(key, "CREDENTIAL_KEYS")


def from_environment(environment: dict[str, str] | None) -> None:
    """Variables that are called like secrets, of a process that a test starts: there they may
    stand, and nowhere else. Those of our own environment are not planted by a test.
    """
    for name, value in (environment or {}).items():
        ours = os.environ.get(str(name)) == value
        if VARIABLES.search(str(name)) and not ours:
            for part in str(value).split(","):
                plant(part, f"{name} in an environment")
