"""The rules that are shipped: read from the YAML files of this folder, laid into the store without
touching what people have changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classification.dsl.parser import parse

FOLDER = Path(__file__).parent
PACKS = ("mysql", "postgresql", "sqlserver", "oracle")


@dataclass(frozen=True, slots=True)
class PackRule:
    """A shipped rule. `references`: `{"benchmark", "id"}`; `expression` is canonical."""

    id: str
    name: str
    db_type: str
    gives: str
    severity: str
    description: str
    remedy: str
    references: tuple[dict[str, str], ...]
    expression: str

    @property
    def fields(self) -> dict[str, Any]:
        """What is stored, and what a person may change."""
        return {
            "rule_name": f"{self.id} {self.name}",
            "description": f"{self.description}\n\n{self.remedy}",
            "rule_expression": self.expression,
            "references": list(self.references),
        }


@dataclass(frozen=True, slots=True)
class Pack:
    """One file. `partly` and `not_covered`: condition -> what is missing and why."""

    name: str
    version: str
    db_type: str
    benchmarks: dict[str, str]
    rules: tuple[PackRule, ...]
    partly: dict[str, str] = field(default_factory=dict)
    not_covered: dict[str, str] = field(default_factory=dict)


@cache
def classifications() -> dict[str, dict[str, Any]]:
    """Code -> name, risk, color, icon, priority, description."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(_text("classifications"))
    return found


@cache
def packs() -> tuple[Pack, ...]:
    """Every pack. Raises InvalidExpression where a rule is wrong."""
    return tuple(_pack(yaml.safe_load(_text(name))) for name in PACKS)


def _text(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def _pack(data: Mapping[str, Any]) -> Pack:
    db_type = data["db_type"]
    return Pack(
        data["pack"],
        data["version"],
        db_type,
        data["benchmarks"],
        tuple(_rule(entry, db_type) for entry in data["rules"]),
        data.get("partly", {}),
        data.get("not_covered", {}),
    )


def _rule(entry: Mapping[str, Any], db_type: str) -> PackRule:
    rest = {key: value for key, value in entry.items() if key not in ("expr", "references")}
    expression = parse({"version": 4, "expr": entry["expr"]}, db_type).canonical()
    return PackRule(
        **rest, db_type=db_type, references=tuple(entry["references"]), expression=expression
    )


@dataclass(slots=True)
class Loaded:
    """Names of rules by what became of them. `kept`: changed by a person, left alone; `blocked`:
    somebody else's rule has the name; `retired`: in the store, in no pack any more.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    classifications: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, list[str]]:
        return asdict(self)


def load(classification_model: Any, rule_model: Any, write: bool = True) -> Loaded:
    """Bring the shipped rules into the store; with `write=False` only say what would be done.

    The models are given, since a migration brings its own. What a person has changed is told from
    the fingerprint of what was last loaded, and left as it is; switching off is no change. To be
    called in a transaction.
    """
    loaded = Loaded()
    for code, data in classifications().items():
        if not classification_model.objects.filter(name=code).exists():
            loaded.classifications.append(code)
            if write:
                classification_model.objects.create(name=code, **_classification(data))
    ids = dict(classification_model.objects.values_list("name", "id"))
    known = {(rule.db_type, rule.pack_id): rule for rule in rule_model.objects.exclude(pack_id="")}
    for pack in packs():
        for rule in pack.rules:
            there = known.pop((rule.db_type, rule.id), None)
            _load_rule(rule, there, ids.get(rule.gives), rule_model, loaded, write)
    loaded.retired = sorted(rule.rule_name for rule in known.values())
    return loaded


def _classification(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "display_name": data["name"],
        "description": data["description"],
        "risk_level": data["risk"],
        "color": data["color"],
        "icon_name": data["icon"],
        "priority": data["priority"],
        "is_system": True,
    }


def _load_rule(
    rule: PackRule, there: Any, gives: int | None, rule_model: Any, loaded: Loaded, write: bool
) -> None:
    fields = {**rule.fields, "classification_id": gives}
    stamp = _fingerprint(rule.fields, rule.gives)
    name = rule.fields["rule_name"]
    taken = rule_model.objects.filter(db_type=rule.db_type, rule_name=name)
    if there is not None and _fingerprint(_stored(there), there.classification.name) != (
        there.pack_fingerprint
    ):
        loaded.kept.append(name)
    elif there is not None and there.pack_fingerprint == stamp:
        loaded.unchanged.append(name)
    elif taken.exclude(pk=there.pk if there else None).exists():
        loaded.blocked.append(name)
    elif there is None:
        loaded.created.append(name)
        if write:
            rule_model.objects.create(
                **fields, db_type=rule.db_type, pack_id=rule.id, pack_fingerprint=stamp
            )
    else:
        loaded.updated.append(name)
        if write:
            for key, value in {**fields, "pack_fingerprint": stamp}.items():
                setattr(there, key, value)
            there.save()


def _stored(rule: Any) -> dict[str, Any]:
    names = ("rule_name", "description", "rule_expression", "references")
    return {name: getattr(rule, name) for name in names}


def _fingerprint(fields: Mapping[str, Any], gives: str) -> str:
    text = json.dumps([fields, gives], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
