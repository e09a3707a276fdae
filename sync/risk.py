"""The risk of an account before and after a change, on the change's line in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from classification.models import RiskLevel

# The lines of one run are those of its instance and time. What is new had no risk before.
NOTE = """
UPDATE account_change_log log SET {column} = risk.level
FROM (
    SELECT DISTINCT ON (permission.account_id) permission.account_id, class.risk_level AS level
    FROM account_change_log logged
    JOIN account_permission permission ON permission.account_id = logged.account_id
    JOIN account_classification_assignments assigned
        ON assigned.account_id = permission.id AND assigned.is_active
    JOIN account_classifications class ON class.id = assigned.classification_id
    WHERE logged.instance_id = %(instance)s AND logged.change_time = %(time)s
    ORDER BY permission.account_id, array_position(%(levels)s::text[], class.risk_level::text)
) risk
WHERE log.instance_id = %(instance)s AND log.change_time = %(time)s
    AND log.account_id = risk.account_id
"""


def note_before(instance_id: int, change_time: datetime) -> None:
    """To be called before the accounts of a run are classified anew."""
    _note("risk_before", instance_id, change_time)


def note_after(instance_id: int, change_time: datetime) -> None:
    """To be called afterwards, in the same transaction."""
    _note("risk_after", instance_id, change_time)


def _note(column: str, instance_id: int, change_time: datetime) -> None:
    values: dict[str, Any] = {
        "instance": instance_id,
        "time": change_time,
        "levels": list(RiskLevel.values),
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE.format(column=column), values)
