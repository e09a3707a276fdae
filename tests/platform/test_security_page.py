"""docs/security.md names tests and commands that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


def test_every_file_it_names_is_there():
    named = set(re.findall(r"`((?:tests|docs|whalefall)/[\w/]+\.\w+)`", PAGE))
    assert len(named) > 25
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_setting_of_the_page_of_sign_in_is_one():
    settings = (ROOT / "whalefall" / "settings.py").read_text()
    named = set(re.findall(r"`((?:OIDC|LDAP)_\w+)`", (ROOT / "docs" / "sign-in.md").read_text()))
    assert [name for name in sorted(named) if f'"{name}"' not in settings] == []
    assert len(named) > 15
