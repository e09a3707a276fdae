"""docs/api-guide.md is a session that works: each of its commands is run, in its order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import PASSWORD, person
from tests.servers.base import Unavailable
from tests.servers.mariadb import MariaDBServer

GUIDE = Path(__file__).parents[2] / "docs" / "api-guide.md"
MISSING = [name for name in ("curl", "jq") if not shutil.which(name)]


@pytest.fixture
def server():
    """A MariaDB with the shop of the guide."""
    server = MariaDBServer()
    try:
        if MISSING:
            raise Unavailable(f"not installed: {', '.join(MISSING)}")
        server.start()
    except Unavailable as exc:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(exc))
    server.execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.payments (id INT)",
        "CREATE USER shop_app@'%' IDENTIFIED BY 'x'",
        "GRANT SELECT, UPDATE, DELETE ON shop.payments TO shop_app@'%'",
    )
    yield server
    server.stop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("mariadb")
def test_every_command_of_the_guide_does_what_it_says(live_server, server, tmp_path):
    user = person("anna", "administrator")
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    story = "set -euo pipefail\n" + "".join(f"echo '--- {n}'\n{b}" for n, b in enumerate(blocks))
    told = subprocess.run(
        ["bash", "-c", story],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "WHALEFALL": live_server.url,
            "USERNAME": user.username,
            "PASSWORD": PASSWORD,
            "DB_HOST": server.host,
            "DB_PORT": str(server.port),
            "DB_TLS": "off",
            "DB_USERNAME": server.admin_username,
            "DB_PASSWORD": server.admin_password,
        },
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]
    assert f"--- {len(blocks) - 1}" in told.stdout
    assert "shop_app" in (tmp_path / "accounts.csv").read_text()
