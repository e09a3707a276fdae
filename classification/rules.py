"""The rules in force, through the cache: whole, and those of one engine.

The cache is keyed by what the rules are, read from the database each time, and what it answers is
believed only when it is just that: an old, foreign or damaged entry cannot be taken for the present
one. Without a cache it is one query more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import structlog
from django.core.cache import cache
from django.db import connection

from classification.models import ClassificationRule, fingerprint
from whalefall.engines import DB_TYPES

logger = structlog.get_logger(__name__)

PREFIX = "classification:rules"
KEEP_SECONDS = 24 * 3600
ALL = "all"
"""The rules of every engine, beside the names of the engines."""


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule in force as a run needs it. `text` is canonical, and may be invalid by now."""

    id: int
    name: str
    db_type: str
    classification_id: int
    classification: str
    priority: int
    text: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.db_type, self.text)


def active_rules(db_type: str | None = None) -> list[ActiveRule]:
    """The active rules of active classifications, of one engine or all; classifications of highest
    priority first.
    """
    now, wanted = stamps(), db_type or ALL
    if wanted not in now:
        return []
    kept = _kept(wanted, now[wanted])
    if kept is not None:
        return kept
    loaded = _load(db_type)
    _keep({wanted: loaded} if db_type else {ALL: loaded, **_by_engine(loaded)}, now)
    return loaded


def _kept(name: str, stamp: str) -> list[ActiveRule] | None:
    """What the cache has under the present stamp, if it is what the stamp speaks of."""
    rows = _cached(cache.get, _key(name, stamp))
    try:
        rules = [ActiveRule(*row) for row in rows]
        return rules if _stamps_of(rules).get(name) == stamp else None
    except (TypeError, AttributeError):  # nothing there, or not ours
        return None


def _keep(by_name: Mapping[str, list[ActiveRule]], now: Mapping[str, str]) -> None:
    """A rule may have been saved since the stamps were read: only what they speak of is kept."""
    entries = {
        _key(name, now[name]): [astuple(rule) for rule in rules]
        for name, rules in by_name.items()
        if name in now and _stamps_of(rules).get(name) == now[name]
    }
    if entries:
        _cached(cache.set_many, entries, KEEP_SECONDS)


def _key(name: str, stamp: str) -> str:
    return f"{PREFIX}:{name}:{stamp}"


STAMPS = """
    SELECT r.db_type, md5(string_agg(concat_ws('|', r.id, c.id, c.priority, md5(c.name),
                          md5(r.rule_name), md5(r.rule_expression)), ',' ORDER BY r.id))
    FROM classification_rules r
    JOIN account_classifications c ON c.id = r.classification_id AND c.is_active
    WHERE r.is_active
    GROUP BY r.db_type
"""


def stamps() -> dict[str, str]:
    """Per engine, and for all, a digest of the rules in force: the version of what is cached."""
    with connection.cursor() as cursor:
        cursor.execute(STAMPS)
        return _with_all(dict(cursor.fetchall()))


def _stamps_of(rules: Iterable[ActiveRule]) -> dict[str, str]:
    """The same of rules at hand."""
    return _with_all({name: _stamp(each) for name, each in _by_engine(rules).items()})


def _with_all(found: dict[str, str]) -> dict[str, str]:
    if not found:
        return {}
    return {**found, ALL: _md5(",".join(f"{name}:{found[name]}" for name in sorted(found)))}


def _stamp(rules: Iterable[ActiveRule]) -> str:
    """As STAMPS computes it."""
    return _md5(
        ",".join(
            f"{rule.id}|{rule.classification_id}|{rule.priority}|{_md5(rule.classification)}"
            f"|{_md5(rule.name)}|{_md5(rule.text)}"
            for rule in sorted(rules, key=lambda rule: rule.id)
        )
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _by_engine(rules: Iterable[ActiveRule]) -> dict[str, list[ActiveRule]]:
    found: dict[str, list[ActiveRule]] = {}
    for rule in rules:
        found.setdefault(rule.db_type, []).append(rule)
    return found


def _load(db_type: str | None) -> list[ActiveRule]:
    rows = ClassificationRule.objects.filter(is_active=True, classification__is_active=True)
    if db_type is not None:
        rows = rows.filter(db_type=db_type)
    fields = ("id", "rule_name", "db_type", "classification_id", "classification__name")
    ordered = rows.order_by("-classification__priority", "id")
    columns = (*fields, "classification__priority", "rule_expression")
    return [ActiveRule(*row) for row in ordered.values_list(*columns)]


def _cached(ask: Any, *args: Any) -> Any:
    """What the cache answers, or None when it cannot."""
    try:
        return ask(*args)
    except Exception as exc:  # nothing narrower: each cache backend has errors of its own
        logger.warning("classification_cache_failed", error=type(exc).__name__)
        return None


def cache_stats() -> dict[str, dict[str, Any]]:
    """For `all` and each engine: the present stamp, whether the cache holds its rules, how many."""
    now = stamps()
    found = _cached(cache.get_many, [_key(name, stamp) for name, stamp in now.items()]) or {}
    kept = {name: found.get(_key(name, stamp)) for name, stamp in now.items()}
    return {
        name: {
            "stamp": now.get(name, ""),
            "cached": kept.get(name) is not None,
            "rules": len(kept.get(name) or ()),
        }
        for name in (ALL, *DB_TYPES)
    }


def clear_cache(db_type: str | None = None) -> int:
    """Forget the cached rules: all entries, or those in which this engine's rules are; how many
    entries went.
    """
    names = (db_type, ALL)
    keys = [_key(name, stamp) for name, stamp in stamps().items() if not db_type or name in names]
    there = _cached(cache.get_many, keys) or {}
    _cached(cache.delete_many, keys)
    return len(there)
