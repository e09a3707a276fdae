from pathlib import Path

import pytest

from tests.servers.certificates import write_certificates


@pytest.fixture
def loopback(settings) -> None:
    """Messages may go to receivers on this machine; they have a second to answer."""
    settings.NOTIFY_NETWORKS = ["127.0.0.0/8", "::1/128"]
    settings.NOTIFY_TIMEOUT = 1


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Path:
    """A folder with a certificate for 127.0.0.1, of an authority that nobody trusts."""
    return write_certificates(tmp_path_factory.mktemp("certificates")).parent


@pytest.fixture
def authority(certificates, monkeypatch) -> Path:
    """The same, of an authority that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    return certificates
