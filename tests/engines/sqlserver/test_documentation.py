"""The page about this engine names all that it can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from whalefall.engines.sqlserver import capabilities

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "sqlserver.md"


@pytest.mark.parametrize("name", capabilities.KNOWN)
def test_every_capability_is_documented_with_its_sections(name):
    mark = " *" if name in capabilities.PERSONAL else ""
    sections = ", ".join(capabilities.sections(name))
    line = f"| `{name}`{mark} | {capabilities.EXPLAINED[name]} | {sections} |"
    assert line in PAGE.read_text(encoding="utf-8").splitlines()


def test_only_known_capabilities_have_sections_of_their_own():
    assert capabilities.SECTIONS.keys() <= set(capabilities.KNOWN)
    assert set(capabilities.PERSONAL) <= set(capabilities.KNOWN)
