"""An account's risk: the highest level it has active and nobody accepted, kept in a narrow table.

Whoever changes assignments or exceptions calls `refresh` in the same transaction; only rows that
differ are written. What the clock ends is looked for when somebody asks: `settle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

LEVELS = ("info", "low", "medium", "high", "critical")
"""From the least. An account's level is the place in it, from 1; 0 is: all of it is accepted."""

# The first key of an advisory lock ("rsk" in ASCII). Who computes risks waits for those that have
# done so and not committed: neither would see what the other one wrote.
LOCK = 0x72736B

ACCOUNTS = "= ANY(%(accounts)s)"
OF_RUN = "IN (SELECT account_id FROM run_touched)"
# Of a run, but for the accounts that had no risk before: `WEIGH_NEW` does those, mostly all.
OF_RUN_KNOWN = """IN (
    SELECT t.account_id FROM run_touched t
    WHERE t.assignment_id IS NULL
       OR EXISTS (SELECT FROM account_risks r WHERE r.permission_id = t.account_id)
       OR EXISTS (SELECT FROM accepted_assignments w WHERE w.assignment_id = t.assignment_id))"""
EXPIRED = "IN (SELECT permission_id FROM account_risks WHERE accepted_until < %(today)s)"
OF_CLASSIFICATION = """IN (
    SELECT account_id FROM account_classification_assignments
    WHERE classification_id = %(classification)s AND is_active)"""
GONE = """IN (
    SELECT r.permission_id FROM account_risks r
    JOIN account_permission p ON p.id = r.permission_id
    JOIN instance_accounts a ON a.id = p.account_id
    WHERE NOT a.is_active AND (%(instance)s::bigint IS NULL OR p.instance_id = %(instance)s))"""

COVERS = """(e.account_id = a.id OR e.account_id IS NULL
    AND (e.instance_id IS NULL OR e.instance_id = a.instance_id)
    AND a.username LIKE e.username_like)"""

OF_EXCEPTION = f"""IN (
    SELECT p.id FROM risk_exceptions e
    JOIN instance_accounts a ON {COVERS}
    JOIN account_permission p ON p.account_id = a.id
    WHERE e.id = %(exception)s)"""  # noqa: S608

# What several rules gave is accepted when each of them is, until the first of these ends.
ACCEPT = f"""
    WITH covered AS MATERIALIZED (
        SELECT p.id, e.id AS exception_id, e.classification_id, e.rule_id, e.ends_on
        FROM risk_exceptions e
        JOIN instance_accounts a ON {COVERS}
        JOIN account_permission p ON p.account_id = a.id
        WHERE e.ended_at IS NULL AND e.ends_on >= %(today)s AND p.id {{scope}}),
    by_classification AS (
        SELECT x.id, c.exception_id, c.ends_on
        FROM covered c
        JOIN account_classification_assignments x
          ON x.account_id = c.id AND x.classification_id = c.classification_id AND x.is_active),
    by_rule AS (
        SELECT DISTINCT ON (id, rule_id) id, rule_id, exception_id, ends_on
        FROM covered WHERE rule_id IS NOT NULL
        ORDER BY id, rule_id, ends_on DESC, exception_id),
    by_rules AS (
        SELECT x.id, (array_agg(b.exception_id ORDER BY b.ends_on))[1] AS exception_id,
               min(b.ends_on) AS ends_on
        FROM account_classification_assignments x
        CROSS JOIN LATERAL jsonb_array_elements(x.evidence -> 'rules') given
        LEFT JOIN by_rule b
          ON b.id = x.account_id AND b.rule_id = (given ->> 'rule')::bigint
        WHERE x.is_active AND x.account_id IN (SELECT id FROM by_rule)
        GROUP BY x.id HAVING count(*) = count(b.exception_id)),
    accepted AS MATERIALIZED (
        SELECT DISTINCT ON (id) id, exception_id, ends_on
        FROM (TABLE by_classification UNION ALL TABLE by_rules) found
        ORDER BY id, ends_on DESC, exception_id),
    dropped AS (
        DELETE FROM accepted_assignments old
        USING account_classification_assignments x
        WHERE x.id = old.assignment_id AND x.account_id {{scope}}
          AND NOT EXISTS (SELECT FROM accepted n WHERE n.id = old.assignment_id))
    INSERT INTO accepted_assignments (assignment_id, exception_id, ends_on)
    SELECT n.id, n.exception_id, n.ends_on
    FROM accepted n LEFT JOIN accepted_assignments old ON old.assignment_id = n.id
    WHERE (old.exception_id, old.ends_on) IS DISTINCT FROM (n.exception_id, n.ends_on)
    ON CONFLICT (assignment_id) DO UPDATE
    SET exception_id = excluded.exception_id, ends_on = excluded.ends_on
"""  # noqa: S608

# Without ON CONFLICT, which costs as much again: `refresh` holds the lock that keeps others out.
WEIGH = """
    WITH levels AS MATERIALIZED (
        SELECT id, array_position(%(levels)s::text[], risk_level::text) AS level
        FROM account_classifications),
    current AS MATERIALIZED (
        SELECT x.account_id AS id, min(w.ends_on) AS accepted_until,
               coalesce(max(k.level) FILTER (WHERE w.assignment_id IS NULL), 0) AS level
        FROM account_classification_assignments x
        JOIN levels k ON k.id = x.classification_id
        LEFT JOIN accepted_assignments w ON w.assignment_id = x.id
        WHERE x.is_active AND x.account_id {scope}
        GROUP BY x.account_id),
    dropped AS (
        DELETE FROM account_risks r
        WHERE r.permission_id {scope}
          AND NOT EXISTS (SELECT FROM current n WHERE n.id = r.permission_id)),
    moved AS (
        UPDATE account_risks r SET level = n.level, accepted_until = n.accepted_until
        FROM current n
        WHERE r.permission_id = n.id
          AND (r.level, r.accepted_until) IS DISTINCT FROM (n.level, n.accepted_until))
    INSERT INTO account_risks (permission_id, level, accepted_until)
    SELECT n.id, n.level, n.accepted_until FROM current n
    WHERE NOT EXISTS (SELECT FROM account_risks r WHERE r.permission_id = n.id)
    ORDER BY n.id
"""

# Who had no risk had no classification: what the run has added is all there is to weigh.
WEIGH_NEW = """
    INSERT INTO account_risks (permission_id, level)
    SELECT t.account_id,
           max(array_position(%(levels)s::text[], k.risk_level::text)) AS level
    FROM run_touched t
    JOIN account_classifications k ON k.id = t.classification_id
    WHERE NOT EXISTS (SELECT FROM account_risks r WHERE r.permission_id = t.account_id)
    GROUP BY t.account_id
    ORDER BY t.account_id
"""

ANY_EXPIRED = "SELECT EXISTS (SELECT FROM account_risks WHERE accepted_until < %s)"


ANY_BY_RULE = """
    SELECT EXISTS (SELECT FROM risk_exceptions WHERE rule_id IS NOT NULL AND ended_at IS NULL)
"""


def are_accepted_by_rule() -> bool:
    """Whether somebody accepts what a rule finds, so that the evidence decides over a risk."""
    with connection.cursor() as cursor:
        cursor.execute(ANY_BY_RULE)
        (there,) = cursor.fetchone()
    return bool(there)


def today() -> date:
    """The day by which exceptions end, in UTC."""
    return timezone.now().date()


def refresh(scope: str, **params: Any) -> None:
    """Bring acceptances and risks up to date; `scope` is one of the texts above. To be called last
    in a transaction: until its end no other one computes risks.
    """
    values: Mapping[str, Any] = {"today": today(), "levels": list(LEVELS), **params}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
        cursor.execute(ACCEPT.format(scope=scope), values)
        cursor.execute(WEIGH.format(scope=scope), values)


def refresh_run() -> None:
    """The same for what a run has written, by its table `run_touched`."""
    values: Mapping[str, Any] = {"today": today(), "levels": list(LEVELS)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
        cursor.execute(ACCEPT.format(scope=OF_RUN), values)
        cursor.execute(WEIGH.format(scope=OF_RUN_KNOWN), values)
        cursor.execute(WEIGH_NEW, values)


def settle() -> None:
    """Let risks return whose acceptance the clock has ended. Asked before risks are shown: one look
    into a small index, and on the first time of a day a little more.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANY_EXPIRED, (today(),))
        (is_due,) = cursor.fetchone()
    if is_due:
        refresh(EXPIRED)
