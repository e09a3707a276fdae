"""TLS modes against a server with a certificate for localhost, signed by a CA of our own.

Debian's build: the one in the wheel knows no TLS.
"""

from __future__ import annotations

import datetime
import os
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.base import Unavailable
from tests.servers.postgresql import PostgreSQL15
from whalefall.engines.base import Target
from whalefall.engines.errors import ConnectError

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("postgresql-tls")]


def certificate(name: str, key, issuer: str, issuer_key, is_ca: bool) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer)
    ]
    builder = x509.CertificateBuilder(names[1], names[0], key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=2))
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
    return builder.add_extension(alternative, critical=False).sign(issuer_key, hashes.SHA256())


def pem(thing) -> str:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM).decode()
    secret = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    return thing.private_bytes(serialization.Encoding.PEM, pkcs8, secret).decode()


@pytest.fixture(scope="module")
def ca() -> tuple[str, object]:
    key = ec.generate_private_key(ec.SECP256R1())
    return pem(certificate("Test CA", key, "Test CA", key, True)), key


@pytest.fixture(scope="module")
def target(ca):
    """A server with TLS, as its administrator, in mode require."""
    throw_away = PostgreSQL15(settings={"ssl": "on", "ssl_cert_file": "../server.crt",
                                        "ssl_key_file": "../server.key"})  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1())
    signed = certificate("localhost", key, "Test CA", ca[1], False)
    for name, thing in (("server.crt", signed), ("server.key", key)):
        path = throw_away.folder / name
        path.write_text(pem(thing))
        path.chmod(0o600)
        throw_away.give(path)
    try:
        throw_away.start()
    except Unavailable as exc:
        if os.environ.get("CI") == "true":
            pytest.fail(str(exc))
        pytest.skip(str(exc))
    login = (throw_away.admin_username, throw_away.admin_password)
    yield Target("localhost", throw_away.port, *login, tls_mode="require")
    throw_away.stop()


def uses_tls(engine, target) -> bool:
    with engine.connect(target) as opened:
        return opened.probe().tls


def test_off_is_off_and_require_is_encrypted(engine, target):
    assert uses_tls(engine, target)
    assert not uses_tls(engine, replace(target, tls_mode="off"))


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_the_right_ca_is_accepted_as_text_or_as_a_path(engine, target, ca, mode, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text(ca[0])
    assert uses_tls(engine, replace(target, tls_mode=mode, tls_ca=ca[0]))
    assert uses_tls(engine, replace(target, tls_mode=mode, tls_ca=str(path)))


def test_the_wrong_ca_is_refused(engine, target):
    key = ec.generate_private_key(ec.SECP256R1())
    other = pem(certificate("Other CA", key, "Other CA", key, True))
    refused = replace(target, tls_mode="verify-ca", tls_ca=other)
    with pytest.raises(ConnectError, match="not signed by the given CA"):
        uses_tls(engine, refused)


def test_another_host_name_is_refused_by_verify_full_only(engine, target, ca):
    by_address = replace(target, host="127.0.0.1", tls_ca=ca[0], tls_mode="verify-ca")
    assert uses_tls(engine, by_address)
    with pytest.raises(ConnectError, match="certificate is for another host name"):
        uses_tls(engine, replace(by_address, tls_mode="verify-full"))


def test_without_a_ca_the_systems_are_asked(engine, target):
    with pytest.raises(ConnectError, match="not signed by the given CA"):
        uses_tls(engine, replace(target, tls_mode="verify-full"))
