"""The hour that comes twice when clocks are put back, for django-q2's schedules.

In that hour django-q2 1.11 compares two local times of one zone, which Python does without a look
at which of the two hours they mean: its loop for the next run takes no end, with the rows of all
schedules locked. And the job of a certain hour would run twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from croniter import croniter
from django_q.models import Schedule


def mend() -> None:
    """Let schedules calculate their next run in UTC. To be called once, when apps are ready."""
    if not hasattr(Schedule.calculate_next_run, "mends"):
        Schedule.calculate_next_run = _in_utc(Schedule.calculate_next_run)


def _in_utc(original: Callable[..., datetime]) -> Callable[..., datetime]:
    def calculate_next_run(self: Schedule, next_run: Any = None) -> datetime:
        found = original(self, next_run)
        if self.schedule_type == Schedule.CRON and not _is_of_every_hour(str(self.cron)):
            # As cron does: only in the first one. The hour that clocks leave out needs nothing,
            # croniter makes up for it at its end.
            while found.fold:
                found = croniter(self.cron, found).get_next(datetime)
        return found.astimezone(UTC)

    calculate_next_run.mends = original  # type: ignore[attr-defined]
    return calculate_next_run


def _is_of_every_hour(cron: str) -> bool:
    return cron.split()[1].startswith("*")
