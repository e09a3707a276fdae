"""The rules that are shipped: read from the YAML files of this folder, laid into the store without
touching what people have changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classification.dsl.parser import parse

Json = dict[str, Any]

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
    def title(self) -> str:
        """Its name in the store."""
        return f"{self.id} {self.name}"

    @property
    def fields(self) -> Json:
        """What is stored, and what a person may change."""
        return {
            "rule_name": self.title,
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
    somebody else's rule has the name; `retired`: in the store, in no pack any more. `differences`:
    name -> field -> (in the store, in the pack) of those updated, kept or blocked.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    classifications: list[str] = field(default_factory=list)
    differences: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# Told of each rule that was made (None) or changed (what it was), and by which version.
Record = Callable[[Any, Json | None, str], object]


def load(
    classification_model: Any, rule_model: Any, write: bool = True, record: Record | None = None
) -> Loaded:
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
    there = _Store(classification_model, rule_model)
    for pack in packs():
        for rule in pack.rules:
            old = there.shipped.pop((rule.db_type, rule.id), None)
            outcome = there.outcome(rule, old)
            getattr(loaded, outcome).append(rule.title)
            if differences := there.differences(rule, old):
                loaded.differences[rule.title] = differences
            if write and outcome in ("created", "updated"):
                there.write(rule, old, pack.version, record)
    loaded.retired = sorted(rule.rule_name for rule in there.shipped.values())
    return loaded


def _classification(data: Mapping[str, Any]) -> Json:
    return {
        "display_name": data["name"],
        "description": data["description"],
        "risk_level": data["risk"],
        "color": data["color"],
        "icon_name": data["icon"],
        "priority": data["priority"],
        "is_system": True,
    }


class _Store:
    """What of the packs is in the store already."""

    def __init__(self, classification_model: Any, rule_model: Any) -> None:
        self.model = rule_model
        self.ids = dict(classification_model.objects.values_list("name", "id"))
        rules = list(rule_model.objects.select_related("classification"))
        self.shipped = {(rule.db_type, rule.pack_id): rule for rule in rules if rule.pack_id}
        self.names = {(rule.db_type, rule.rule_name): rule for rule in rules}

    def outcome(self, rule: PackRule, old: Any) -> str:
        """The list of `Loaded` that the rule belongs to."""
        taken = self.names.get((rule.db_type, rule.title))
        if old is not None and _fingerprint(_stored(old)) != old.pack_fingerprint:
            return "kept"
        if old is not None and old.pack_fingerprint == _fingerprint(_shipped(rule)):
            return "unchanged"
        if taken is not None and taken != old:
            return "blocked"
        return "updated" if old else "created"

    def differences(self, rule: PackRule, old: Any) -> dict[str, tuple[Any, Any]]:
        """Field -> (in the store, in the pack); of a new rule none, unless its name is taken."""
        present = old or self.names.get((rule.db_type, rule.title))
        if present is None:
            return {}
        before, after = _stored(present), _shipped(rule)
        return {name: (before[name], after[name]) for name in after if before[name] != after[name]}

    def write(self, rule: PackRule, old: Any, version: str, record: Record | None) -> None:
        before = old.content() if old and record else None
        row = old or self.model(db_type=rule.db_type, pack_id=rule.id)
        for name, value in rule.fields.items():
            setattr(row, name, value)
        row.classification_id = self.ids[rule.gives]
        row.pack_fingerprint = _fingerprint(_shipped(rule))
        row.save()
        if record:
            record(row, before, version)


def _stored(rule: Any) -> Json:
    names = ("rule_name", "description", "rule_expression", "references")
    return {name: getattr(rule, name) for name in names} | {"gives": rule.classification.name}


def _shipped(rule: PackRule) -> Json:
    return {**rule.fields, "gives": rule.gives}


def _fingerprint(state: Json) -> str:
    """Of what a person may change: by it their changes are told from an older version's state."""
    fields = {name: value for name, value in state.items() if name != "gives"}
    text = json.dumps([fields, state["gives"]], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
