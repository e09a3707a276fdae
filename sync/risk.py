"""The risk of an account before and after a change, on the change's line in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from classification import risks

# The lines of one run are those of its instance and time. What is new had no risk before, nor has
# what a person accepts.
NOTE = """
UPDATE account_change_log log SET {column} = (%(levels)s::text[])[risk.level]
FROM account_permission permission
JOIN account_risks risk ON risk.permission_id = permission.id AND risk.level > 0
WHERE log.instance_id = %(instance)s AND log.change_time = %(time)s
    AND permission.account_id = log.account_id
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
        "levels": list(risks.LEVELS),
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE.format(column=column), values)
