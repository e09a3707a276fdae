"""Every worker of pytest-xdist finds the same tests, whenever and in whatever order it looks."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_names_of_the_tests_depend_on_neither_the_clock_nor_the_hash_seed(request):
    # A second process looks later, elsewhere on the globe and with its sets in another order.
    other = os.environ | {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "PYTEST_ADDOPTS": ""}
    other = {name: value for name, value in other.items() if "PYTEST_XDIST" not in name}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "tests"]
    found = subprocess.run(command, cwd=ROOT, env=other, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-2000:]
    there = set(filter(None, found.stdout.splitlines()))
    # pytest-xdist writes the group that a test belongs to behind its name.
    here = {item.nodeid: item.nodeid.rpartition("@")[0] for item in request.session.items}
    assert [name for name, bare in here.items() if not {name, bare} & there] == []
