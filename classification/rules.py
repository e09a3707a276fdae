"""The rules in force, through the cache.

The cache is keyed by what the rules are, read from the database each time: an old entry cannot be
taken for the present one, and without a cache it is one query more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.cache import cache
from django.db import connection

from classification.models import ClassificationRule, fingerprint
from whalefall.engines import DB_TYPES

logger = structlog.get_logger(__name__)

PREFIX = "classification:rules"
KEEP_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule in force as a run needs it. `text` is canonical, and may be invalid by now."""

    id: int
    name: str
    db_type: str
    classification_id: int
    classification: str
    text: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.db_type, self.text)


def active_rules() -> list[ActiveRule]:
    """The active rules of active classifications, classifications of highest priority first."""
    now = stamps()
    keys = _keys(now)
    found = _cached(cache.get_many, list(keys.values())) or {}
    missing = [db_type for db_type, key in keys.items() if key not in found]
    if missing:
        loaded = {keys[db_type]: rules for db_type, rules in _load(missing).items()}
        # Kept only if they are what the stamps speak of: a rule may be saved between the two.
        if stamps() == now:
            _cached(cache.set_many, loaded, KEEP_SECONDS)
        found = {**found, **loaded}
    return [rule for key in keys.values() for rule in found.get(key, ())]


def _keys(now: Mapping[str, str]) -> dict[str, str]:
    return {db_type: f"{PREFIX}:{db_type}:{stamp}" for db_type, stamp in now.items()}


STAMPS = """
    SELECT r.db_type, md5(string_agg(concat_ws('|', r.id, c.id, c.priority, md5(c.name),
                          md5(r.rule_name), md5(r.rule_expression)), ',' ORDER BY r.id))
    FROM classification_rules r
    JOIN account_classifications c ON c.id = r.classification_id AND c.is_active
    WHERE r.is_active
    GROUP BY r.db_type ORDER BY r.db_type
"""


def stamps() -> dict[str, str]:
    """Per engine, a digest of its rules in force: the version that the cache is keyed by."""
    with connection.cursor() as cursor:
        cursor.execute(STAMPS)
        return dict(cursor.fetchall())


def _load(db_types: Iterable[str]) -> dict[str, list[ActiveRule]]:
    rows = ClassificationRule.objects.filter(
        is_active=True, classification__is_active=True, db_type__in=db_types
    ).order_by("-classification__priority", "id")
    fields = ("id", "rule_name", "db_type", "classification_id", "classification__name")
    loaded: dict[str, list[ActiveRule]] = {}
    for row in rows.values_list(*fields, "rule_expression"):
        loaded.setdefault(row[2], []).append(ActiveRule(*row))
    return loaded


def _cached(ask: Any, *args: Any) -> Any:
    """What the cache answers, or None when it cannot."""
    try:
        return ask(*args)
    except Exception as exc:  # nothing narrower: each cache backend has errors of its own
        logger.warning("classification_cache_failed", error=type(exc).__name__)
        return None


def cache_stats() -> dict[str, dict[str, Any]]:
    """Per engine: the present stamp, whether the cache holds its rules, and how many those are."""
    now = stamps()
    keys = _keys(now)
    found = _cached(cache.get_many, list(keys.values())) or {}
    return {
        db_type: {
            "stamp": now.get(db_type, ""),
            "cached": keys.get(db_type) in found,
            "rules": len(found.get(keys.get(db_type), ())),
        }
        for db_type in DB_TYPES
    }


def clear_cache(db_type: str | None = None) -> int:
    """Forget the cached rules, of one engine or all; how many entries went."""
    keys = [key for name, key in _keys(stamps()).items() if db_type in (None, name)]
    there = _cached(cache.get_many, keys) or {}
    _cached(cache.delete_many, keys)
    return len(there)
