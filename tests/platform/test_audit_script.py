"""`make audit` fails on known weaknesses, and never takes silence for a clean bill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/audit"
STAND_IN = """
import os, sys
service = sys.argv[sys.argv.index("-s") + 1]
text = os.environ.get(f"AUDIT_{service}", "")
sys.exit(text and print(text) or f"Traceback ...\\nConnectionError: {service} is away")
"""
WEAK = {"name": "django", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
GOOD = {"name": "celery", "version": "5.0", "vulns": []}
UNKNOWN = {"name": "celery", "skip_reason": "not found on PyPI"}


def audit(tmp_path, **answers):
    """(exit code, what it says) with stand-ins for the services."""
    package = tmp_path / "pip_audit"
    package.mkdir()
    (package / "__main__.py").write_text(STAND_IN)
    told = {f"AUDIT_{name}": json.dumps({"dependencies": of}) for name, of in answers.items()}
    environment = os.environ | told | {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr


def test_nothing_known_is_good(tmp_path):
    assert audit(tmp_path, pypi=[GOOD]) == (0, "audit: no known weakness in 1 packages\n")


def test_a_known_weakness_fails_and_says_what_mends_it(tmp_path):
    code, said = audit(tmp_path, pypi=[GOOD, WEAK])
    assert code == 1
    assert "django 1.0: CVE-1, mended in 1.1" in said


def test_a_weakness_of_the_machines_tools_is_told_only(tmp_path):
    code, said = audit(tmp_path, pypi=[GOOD, WEAK | {"name": "pip"}])
    assert code == 0
    assert "pip 1.0: CVE-1, mended in 1.1 (a tool of this machine)" in said


@pytest.mark.parametrize("answer", [{}, {"pypi": [UNKNOWN] * 9}], ids=("away", "knows-nothing"))
def test_silence_is_not_a_clean_bill(tmp_path, answer):
    code, said = audit(tmp_path, **answer)
    assert code == 3
    assert "NOT AUDITED" in said
    assert "no known weakness" not in said


def test_the_other_service_is_asked_where_the_first_cannot_be(tmp_path):
    code, said = audit(tmp_path, osv=[WEAK])
    assert code == 1
    assert "audit: pypi cannot be asked: ConnectionError: pypi is away" in said
