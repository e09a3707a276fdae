"""schemathesis against a running server: thousands of requests made from the OpenAPI schema.

No answer may be a server error, and each must be what the schema says. Two requests for each
endpoint here; `make fuzz` sends many, and tries the edges of every parameter.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from sync import queue
from tests.api.conftest import person
from tests.fuzz.fleet import everything
from tests.planted import registry

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("WHALEFALL_FUZZ", "")
FEW = "2"
ONLY = os.environ.get("WHALEFALL_FUZZ_ONLY", "")
"""A pattern of paths: to look again at what was mended."""
SEED = os.environ.get("WHALEFALL_FUZZ_SEED", "20261122")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)


HEADERS = 'headers = { Authorization = "Bearer ${FUZZ_TOKEN}" }\n'


def fuzz(url: str, token: str, tmp_path: Path) -> tuple[int, str]:
    """Exit code (0 when nothing was found) and words of schemathesis."""
    options = {
        "--checks": ",".join(CHECKS),
        "--max-examples": EXAMPLES or FEW,
        "--seed": SEED,
        "--phases": "examples,coverage,fuzzing" if EXAMPLES else "examples,fuzzing",
        "--generation-database": "none",
        "--suppress-health-check": "all",
        "--warnings": "off",
        "--request-timeout": "30",
    }
    if ONLY:
        options["--include-path-regex"] = ONLY
    words = [word for option in options.items() for word in option]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json"]
    environment = os.environ | {
        "PYTHONPATH": str(HERE.parents[1]),
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "FUZZ_URL": url,
        "FUZZ_TOKEN": token,
    }
    # Not as an argument, which every process of the machine may read.
    (tmp_path / "schemathesis.toml").write_text(HEADERS)
    report = Path(os.environ.get("WHALEFALL_FUZZ_REPORT") or tmp_path / "report.txt")
    with report.open("w") as file:
        done = subprocess.run(
            [*command, *words, "--continue-on-failure"],
            cwd=tmp_path,  # it leaves a folder of its own behind
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.returncode, report.read_text()


@pytest.fixture
def worker() -> Iterator[None]:
    """Health tells the truth, and 503 would be a server error: let a worker seem alive."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [queue.CLUSTER_NAME])
        yield
    other.close()


@pytest.mark.usefixtures("worker")
def test_every_endpoint_answers_as_its_schema_says(live_server, tmp_path, settings):
    settings.CONNECT_TIMEOUT = settings.NOTIFY_TIMEOUT = 1
    ada = person("ada", "administrator")
    token = everything(ada)
    with registry.made_up():
        code, report = fuzz(live_server.url, token, tmp_path)
    assert code == 0, report[-20_000:]
