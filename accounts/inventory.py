"""Phase 1 of an account sync: which accounts there are. Set-based, inside the caller's transaction.

Accounts are never deleted: who is gone becomes inactive, and active again when seen again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from accounts import hidden, search
from whalefall.engines.observed import ObservedAccount
from whalefall.instances.models import Instance

SEEN = """
DROP TABLE IF EXISTS pg_temp.seen_account;
CREATE TEMP TABLE seen_account (
    username text PRIMARY KEY, search_name text NOT NULL, kind text NOT NULL
) ON COMMIT DROP
"""
RESTORE = """
UPDATE instance_accounts account SET is_active = true, deleted_at = NULL
FROM seen_account seen
WHERE account.instance_id = %s AND NOT account.is_active AND account.username = seen.username
RETURNING account.id
"""
# last_seen_at alone on most rows: no index holds it, so these are HOT updates.
SEE = f"""
UPDATE instance_accounts account SET last_seen_at = %s, kind = seen.kind,
    comes_with_product = {hidden.IS_HIDDEN.format(account="seen")}
FROM seen_account seen
WHERE account.instance_id = %s AND account.username = seen.username
"""  # noqa: S608
ADD = f"""
INSERT INTO instance_accounts
    (instance_id, db_type, username, search_name, kind, is_active, first_seen_at, last_seen_at,
     comes_with_product)
SELECT %s, %s, seen.username, seen.search_name, seen.kind, true, %s, %s,
    {hidden.IS_HIDDEN.format(account="seen")}
FROM seen_account seen
WHERE NOT EXISTS (
    SELECT FROM instance_accounts account
    WHERE account.instance_id = %s AND account.username = seen.username
)
ORDER BY seen.username
"""  # noqa: S608
LEAVE = """
UPDATE instance_accounts account SET is_active = false, deleted_at = %s
WHERE account.instance_id = %s AND account.is_active
AND NOT EXISTS (SELECT FROM seen_account seen WHERE seen.username = account.username)
RETURNING account.id
"""


@dataclass(slots=True)
class Inventory:
    """Ids are those of InstanceAccount."""

    created: int = 0
    restored: set[int] = field(default_factory=set)
    gone: list[int] = field(default_factory=list)


def apply_accounts(
    instance: Instance, accounts: Iterable[ObservedAccount], now: datetime
) -> Inventory:
    """Bring `instance_accounts` in line with a complete list of accounts."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN)
        with cursor.copy("COPY seen_account (username, search_name, kind) FROM STDIN") as copy:
            for account in accounts:
                name = account.username
                copy.write_row((name, search.fold(name), account.kind.value))
        cursor.execute(RESTORE, [instance.pk])
        restored = {pk for (pk,) in cursor.fetchall()}
        db_type = instance.db_type
        cursor.execute(SEE, [now, db_type, instance.pk])
        cursor.execute(ADD, [instance.pk, db_type, now, now, db_type, instance.pk])
        created = cursor.rowcount
        cursor.execute(LEAVE, [now, instance.pk])
        return Inventory(created, restored, [pk for (pk,) in cursor.fetchall()])
