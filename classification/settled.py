"""What rules that did not change say of accounts that did not: what stands in the assignments.

So a run after a change of one rule asks that rule alone. Where no assignment tells (`AGAIN`), all
rules of the classification are asked, of those accounts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from classification.statements import OF_SCOPE, PRESENT

# Once for each evidence, under an entry below zero.
RESTS = """
    INSERT INTO run_rests
    SELECT e.evidence, -row_number() OVER (), r.rest
    FROM (SELECT DISTINCT x.evidence FROM account_classification_assignments x
          WHERE x.is_active AND x.assignment_type = 'auto' AND NOT x.evidence ? 'kept'
            AND x.classification_id = ANY(%(stale)s)) e
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(given) AS rest FROM jsonb_array_elements(e.evidence -> 'rules') given
        WHERE (given ->> 'rule')::bigint = ANY(%(settled)s)) r
    WHERE r.rest IS NOT NULL
    RETURNING entry, rest
"""

MATCH_RESTS = """
    INSERT INTO run_matches
    SELECT x.account_id, r.entry, x.classification_id
    FROM account_classification_assignments x
    JOIN run_rests r ON r.evidence = x.evidence
    JOIN account_permission p ON p.id = x.account_id {of_instance}
    WHERE x.is_active AND x.assignment_type = 'auto' AND x.classification_id = ANY(%(stale)s)
      AND NOT EXISTS (SELECT FROM run_accounts c WHERE c.id = x.account_id)
"""
OF_INSTANCE = "AND p.instance_id = %(instance)s"

# Dismissed ones may be of earlier facts, and what a doubt kept says what was before.
AGAIN = f"""
    INSERT INTO run_again
    SELECT n.account_id, n.classification_id
    FROM (SELECT x.account_id, x.classification_id FROM account_classification_assignments x
          WHERE x.is_active AND x.assignment_type = 'auto' AND x.evidence ? 'kept'
            AND x.classification_id = ANY(%(stale)s)
          UNION
          SELECT x.account_id, x.classification_id FROM account_classification_assignments x
          WHERE x.is_dismissed AND x.classification_id = ANY(%(stale)s)
            AND NOT EXISTS (SELECT FROM account_classification_assignments o
                            WHERE o.account_id = x.account_id AND o.is_active
                              AND o.classification_id = x.classification_id)) n
    JOIN account_permission p ON p.id = n.account_id {PRESENT}
    WHERE {OF_SCOPE}
    RETURNING classification_id
"""  # noqa: S608

# What a doubt keeps says so, where that differs from what the rules say now.
MARK_KEPT = """
    UPDATE account_classification_assignments x
    SET evidence = CASE WHEN x.evidence ? 'kept' THEN x.evidence - 'kept'
                        ELSE x.evidence || '{"kept": true}' END
    FROM (SELECT DISTINCT account_id, classification_id FROM run_kept) k
    JOIN run_accounts r ON r.id = k.account_id
    LEFT JOIN run_found f
      ON f.account_id = k.account_id AND f.classification_id = k.classification_id
    LEFT JOIN run_sets s ON s.entries = f.entries
    WHERE x.account_id = k.account_id AND x.classification_id = k.classification_id
      AND x.is_active AND x.assignment_type = 'auto'
      AND (r.is_changed OR x.classification_id = ANY(%(stale)s))
      AND (x.evidence -> 'rules' IS DISTINCT FROM s.evidence -> 'rules')
          <> (x.evidence ? 'kept')
"""


def match_rests(cursor: Any, params: Mapping[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """Put into `run_matches` what the `settled` rules of the `stale` classifications gave; what
    each of these entries says, as in the evidence.
    """
    cursor.execute(RESTS, params)
    rests = {entry: json.loads(rest) for entry, rest in cursor.fetchall()}
    if rests:
        of_instance = OF_INSTANCE if params["instance"] is not None else ""
        cursor.execute(MATCH_RESTS.format(of_instance=of_instance), params)
    return rests


def list_again(cursor: Any, params: Mapping[str, Any]) -> set[int]:
    """Fill `run_again`; the classifications in it."""
    cursor.execute(AGAIN, params)
    return {row[0] for row in cursor.fetchall()}
