"""Chinese is complete, and the set-up makes the catalogs that Django reads."""

import subprocess
import sys
from pathlib import Path

from django.utils.translation import gettext, ngettext, override

ROOT = Path(__file__).parents[2]


def test_a_text_of_ours_is_shown_in_chinese():
    with override("zh-hans"):
        assert gettext("Accept the risk") == "接受风险"


def test_one_chinese_form_serves_every_number():
    with override("zh-hans"):
        text = ngettext("%(n)d tag changed.", "%(n)d tags changed.", 3) % {"n": 3}
    assert text == "已更改 3 个标签。"


def test_what_is_not_known_to_the_script_is_answered_with_what_is():
    told = subprocess.run(
        [sys.executable, ROOT / "scripts/messages", "chekc"], capture_output=True, text=True
    )
    assert told.returncode != 0
    assert "update | compile | check" in told.stderr


def test_every_text_has_its_chinese():
    told = subprocess.run(
        [sys.executable, ROOT / "scripts/messages", "check"], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout
