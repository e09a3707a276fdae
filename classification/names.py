"""Names that a rule may speak of, as the fleet really has them: for completing what is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts import tokens
from accounts.models import InstanceAccount
from capacity.models import InstanceDatabase
from classification.dsl.patterns import escaped
from whalefall.engines.observed import Kind

MOST = 50
# Tokens are read from so many accounts, the newest: completing must stay instant in any fleet, and
# what is not offered can be typed.
SAMPLE = 3000

WORDS = """
    SELECT DISTINCT word FROM (
        SELECT fact_tokens FROM account_permission WHERE db_type = %s ORDER BY id DESC LIMIT %s
    ) sampled, unnest(fact_tokens) word
    WHERE word LIKE ANY (%s) AND word ILIKE %s
    ORDER BY word LIMIT %s
"""


def names(db_type: str, kind: str, text: str = "", limit: int = MOST) -> list[str]:
    """Up to `limit` names of this kind that hold `text`, letters' case aside, sorted; none where
    the kind is unknown. Kinds: role, database, object, trait.
    """
    found = KINDS[kind](db_type, text, min(limit, MOST)) if kind in KINDS else []
    return sorted(dict.fromkeys(found))[:limit]


def _roles(db_type: str, text: str, limit: int) -> list[str]:
    known = InstanceAccount.objects.filter(
        db_type=db_type, is_active=True, kind__in=(Kind.ROLE, Kind.GROUP), username__icontains=text
    )
    words = _words(db_type, ["role:%", "reach:role:%"], text, limit)
    return [*_distinct(known, "username", limit), *(word.partition("role:")[2] for word in words)]


def _databases(db_type: str, text: str, limit: int) -> list[str]:
    known = InstanceDatabase.objects.filter(
        instance__db_type=db_type, is_active=True, database_name__icontains=text
    )
    words = _words(db_type, ["priv:database:%@%"], text, limit)
    placed = (tokens.bare(word.partition("@")[2]) for word in words)
    return [*_distinct(known, "database_name", limit), *(one for one in placed if _has(one, text))]


def _objects(db_type: str, text: str, limit: int) -> list[str]:
    scopes = ("schema", "table", "routine", "sequence", "other")
    words = _words(db_type, [f"priv:{scope}:%@%" for scope in scopes], text, limit)
    return [one for word in words if _has(one := word.partition("@")[2], text)]


def _traits(db_type: str, text: str, limit: int) -> list[str]:
    words = _words(db_type, ["trait:%"], text, limit)
    return [one for word in words if _has(one := word.split(":", 3)[3], text)]


def _has(name: str, text: str) -> bool:
    return text.casefold() in name.casefold()


def _distinct(rows: QuerySet[Any], column: str, limit: int) -> list[str]:
    return list(rows.order_by(column).values_list(column, flat=True).distinct()[:limit])


def _words(db_type: str, like: list[str], text: str, limit: int) -> list[str]:
    """Distinct tokens. Several stand for one name, hence more than `limit` of them."""
    with connection.cursor() as cursor:
        cursor.execute(WORDS, (db_type, SAMPLE, like, f"%{escaped(text)}%", limit * 8))
        return [row[0] for row in cursor.fetchall()]


KINDS: dict[str, Callable[[str, str, int], list[str]]] = {
    "role": _roles,
    "database": _databases,
    "object": _objects,
    "trait": _traits,
}
