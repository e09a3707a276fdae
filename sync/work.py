"""What a sync of one instance consists of, whatever is read: the runner does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.translation import gettext as _

from sync.models import SyncInstanceRecord
from whalefall.engines.base import Server
from whalefall.engines.observed import Section
from whalefall.instances.models import Instance


class Refused(Exception):
    """The sync cannot be done, for a reason that is not our fault; its text is for people."""


@dataclass(slots=True)
class Outcome:
    """How the sync of one instance went."""

    success: bool
    message: str
    counts: dict[str, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        return {
            "success": self.success,
            "message": self.message,
            "counts": self.counts,
            "details": self.details,
        }


class Reading(Protocol):
    """What was read from a server; `sections` say how each part of it ended."""

    @property
    def sections(self) -> Mapping[str, Section]: ...


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of sync. `read` asks the server, with no local transaction open: it would stay open
    for as long as the server takes. `write` stores what was read in the caller's transaction and
    ends the record, if there is one. `lock` keeps two of a kind off the same instance.
    """

    operation: str
    category: str
    lock: int
    read: Callable[[Instance], Any]
    write: Callable[[Instance, Any, SyncInstanceRecord | None, dict[str, Any]], Outcome]


@contextmanager
def opened(instance: Instance) -> Iterator[Server]:
    """Its server. Raises Refused where it is not to be read, EngineError where it cannot be."""
    _refuse_unwatched(instance)
    try:
        target, engine = instance.target(), instance.engine
    except (ValueError, LookupError) as exc:
        raise Refused(str(exc)) from exc
    with engine.connect(target) as server:
        yield server


def _refuse_unwatched(instance: Instance) -> None:
    if instance.deleted_at is not None or not instance.is_active:
        raise Refused(
            _("%(instance)s is not watched: it is switched off or in the recycle bin.")
            % {"instance": instance.name}
        )
