"""A store of its own for every test run: an embedded PostgreSQL in a temporary folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Set before the settings load, and inherited by the workers of pytest-xdist, which share the store.
IS_FIRST = "PYTEST_XDIST_WORKER" not in os.environ
if IS_FIRST:
    os.environ["WHALEFALL_DEV"] = "1"
    os.environ["WHALEFALL_VAR"] = tempfile.mkdtemp(prefix="whalefall-test-")
    os.environ["WHALEFALL_STORE_DURABLE"] = "0"
    os.environ["WHALEFALL_LOAD_RULES"] = "0"  # tests bring the rules that they speak of
    os.environ["WHALEFALL_LOG_TO_STORE"] = "0"  # a thread of its own would write beside the tests
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)


def pytest_unconfigure(config: pytest.Config) -> None:
    if IS_FIRST:
        from whalefall.store import embedded

        folder = Path(os.environ["WHALEFALL_VAR"])
        if (folder / "store").exists():
            embedded.stop(folder / "store")
        shutil.rmtree(folder, ignore_errors=True)
