"""axe-core over a page: WCAG 2.1, levels A and AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_core_python

SOURCE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def faults(page: Any) -> list[str]:
    """What axe finds wrong, one line per rule and element."""
    # Through the debugger: no page of ours may run a script that is not in a file of ours.
    page.evaluate(SOURCE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{fault['id']}: {node['html'][:160]} ({(node['any'] or [{}])[0].get('message', '')[:150]})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
