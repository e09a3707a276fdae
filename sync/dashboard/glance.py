"""What one look at the fleet asks more than once, asked once."""

from __future__ import annotations

from functools import cached_property

from django.http import HttpRequest

from sync.dashboard import numbers as counts
from sync.dashboard import state
from sync.models import SyncSession


class Glance:
    """One moment; each part is read when it is first needed."""

    @cached_property
    def numbers(self) -> counts.Numbers:
        return counts.numbers()

    @cached_property
    def earlier(self) -> dict[str, counts.Change]:
        return counts.earlier()

    @cached_property
    def failed(self) -> list[state.Failed]:
        return state.failed()

    @cached_property
    def running(self) -> list[SyncSession]:
        return state.running()

    @classmethod
    def of(cls, request: HttpRequest) -> Glance:
        """The one that cards and panels of this page share."""
        if not hasattr(request, "glance"):
            request.glance = cls()  # type: ignore[attr-defined]
        glance: Glance = request.glance  # type: ignore[attr-defined]
        return glance
