"""The page about this engine names all that it can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.oracle.cast import RULES

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "oracle.md"


@pytest.mark.parametrize("name", RULES.capabilities_known)
def test_every_capability_is_documented(name):
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")
