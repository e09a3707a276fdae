"""What README promises about the environment and the Makefile is what the project reads."""

import re
from pathlib import Path

from whalefall.engines.oracle.connection import CLIENT_DIR

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_it_lists_every_setting_that_the_environment_decides():
    settings = (ROOT / "whalefall" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', settings)) | {"SECRET_KEY", "CREDENTIAL_KEYS"}
    read.add(CLIENT_DIR)  # engines know nothing of Django's settings
    table = README.partition("| Variable |")[2].partition("## ")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.count("|") > 3]
    listed = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert listed == read


def test_the_targets_it_names_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", README, re.MULTILINE))
    assert named >= {"demo", "serve", "stop", "test", "clean"}
    assert named <= targets


def test_no_file_of_the_set_up_names_a_registry():
    for name in (
        "Makefile",
        "scripts/setup",
        ".ci/run",
        "requirements.txt",
        "requirements-demo.txt",
        "requirements-dev.txt",
        "requirements-oidc.txt",
        "requirements-ldap.txt",
    ):
        text = (ROOT / name).read_text()
        assert not re.search(r"index-url|https?:", text), name
