"""Keeps an instance to one worker while its server is being read: the advisory lock and the lease.

Both need a connection of their own that lives as long as the read and is used from time to time,
while the worker's thread waits for the watched server: so they live in one small thread.
"""

from __future__ import annotations

from threading import Event, Thread
from types import TracebackType
from typing import Self

import structlog
from django.conf import settings
from django.db import connection

from sync import locks
from sync.models import SyncInstanceRecord

logger = structlog.get_logger(__name__)


class InstanceBusy(Exception):
    """Another sync of the same instance is running, here or on another worker."""


class KeeperLost(Exception):
    """The lock or the lease went away while the server was being read: nothing may be written."""


class Keeper:
    """`with Keeper(instance_pk, record) as keeper:`; then `keeper.check()` before writing. Syncs
    of another `kind` (of lock) do not keep each other off.

    Raises InstanceBusy when the instance is taken, KeeperLost when the store cannot be asked.
    """

    def __init__(
        self,
        instance_pk: int,
        record: SyncInstanceRecord | None = None,
        kind: int = locks.INSTANCE,
    ) -> None:
        self.instance_pk = instance_pk
        self.kind = kind
        self.record = record
        self.is_free = False
        self.failure: Exception | None = None
        self._answered, self._stop = Event(), Event()
        self._thread = Thread(target=self._run, name=f"keeper-{instance_pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._answered.wait()
        try:
            self.check()
            if not self.is_free:
                raise InstanceBusy
        except BaseException:  # the thread must not outlive us, whatever it was
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def check(self) -> None:
        """Raises KeeperLost when this worker must not write any more."""
        if self.failure is not None:
            raise KeeperLost from self.failure

    def _end(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._keep()
        except Exception as exc:  # whatever it is, the worker's thread must hear of it
            self.failure = exc
            logger.warning("keeper_lost", instance_id=self.instance_pk, error=str(exc))
        finally:
            connection.close()  # this thread's own; a lock that it still holds goes with it
            self._answered.set()

    def _keep(self) -> None:
        self.is_free = locks.take(self.kind, self.instance_pk)
        if not self.is_free:
            return
        self._answered.set()
        while not self._stop.wait(settings.RECORD_LEASE / 3):
            self._beat()
        # Closing does that too, but only once the store notices: who comes next would wait.
        locks.give_back(self.kind, self.instance_pk)

    def _beat(self) -> None:
        """Also without a record: a connection that is never used does not tell that it is dead."""
        if self.record is None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        elif not self.record.renew() and not self._stop.is_set():
            raise KeeperLost(str(self.record))
