"""The scan for planted secrets (`tests/sync/test_planted_secrets.py`) finds them in any form."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from django.core import signing
from django_q.signing import SignedPackage

from tests import secret_scan

SECRET = "planted c0llector'word+/&"
FORMS = {
    "as it is": f'{{"password": "{SECRET}"}}',
    "in an address": f"postgres://whalefall:{quote_plus(SECRET)}@store.example/x",
    "in hex": "5c" + SECRET.encode().hex(),
    "signed": signing.dumps({"a": SECRET}),
    "signed and compressed": signing.dumps({"args": ["x" * 200, SECRET]}, compress=True),
    "in a task of the queue": SignedPackage.dumps({"args": ("x" * 200, SECRET)}),
    "in base64, first": signing.b64_encode(SECRET.encode() + b"abc").decode(),
    "in base64, second": signing.b64_encode(b"a" + SECRET.encode() + b"abc").decode(),
    "in base64, third": signing.b64_encode(b"ab" + SECRET.encode() + b"abc").decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_it_finds_a_secret(form):
    data = f"before {FORMS[form]} after".encode()
    assert secret_scan.leaks("here", data, {"word": SECRET}) == {"here: word"}


def test_it_finds_nothing_where_there_is_nothing():
    data = "".join(FORMS.values()).encode()
    assert not secret_scan.leaks("here", data, {"word": "another-planted-word"})
