"""`docs/rules.md`, written from the packs: `manage.py load_rules --document`."""

from __future__ import annotations

from collections.abc import Iterator

from classification.dsl.nodes import describe
from classification.dsl.parser import parse
from classification.rulepack import Pack, PackRule, classifications, packs
from whalefall.engines import DB_TYPES

HEAD = """# The shipped rules

Written by `manage.py load_rules --document` from `classification/rulepack/*.yaml`; do not edit.
Benchmark texts are licensed: only their ids stand here, the words are ours.
A rule gives its classification, whose risk is the rule's severity. Its verdict is *unknown* where
a section that it needs could not be read.
"""


def document() -> str:
    """The page as Markdown."""
    lines = [
        HEAD,
        "## Classifications",
        "",
        "| code | name | risk | meaning |",
        "|---|---|---|---|",
    ]
    for code, data in classifications().items():
        lines.append(f"| `{code}` | {data['name']} | {data['risk']} | {data['description']} |")
    for pack in packs():
        lines += ["", *_pack(pack)]
    return "\n".join(lines) + "\n"


def _pack(pack: Pack) -> Iterator[str]:
    yield f"## {DB_TYPES[pack.db_type]} (pack {pack.version})"
    yield ""
    for key, title in pack.benchmarks.items():
        yield f"- `{key}`: {title}"
    yield ""
    yield "| rule | severity | gives | condition | remedy | references |"
    yield "|---|---|---|---|---|---|"
    for rule in pack.rules:
        yield _row(rule)
    yield from _table("Covered in part", "what is missing", pack.partly)
    yield from _table("Not covered", "why", pack.not_covered)


def _row(rule: PackRule) -> str:
    asks = describe(parse(rule.expression, rule.db_type).root)
    refs = ", ".join(f"{each['benchmark']} {each['id']}" for each in rule.references)
    cells = (
        f"**{rule.id}** {rule.name}",
        rule.severity,
        f"`{rule.gives}`",
        f"{rule.description}<br>*{asks}*",
        rule.remedy,
        refs,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(title: str, heading: str, rows: dict[str, str]) -> Iterator[str]:
    if rows:
        yield from ("", f"### {title}", "", f"| condition | {heading} |", "|---|---|")
        yield from (f"| {name} | {text} |" for name, text in rows.items())
