"""Handing work to django-q2: many tasks at once, primary keys only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.models import OrmQ
from django_q.status import Stat
from django_q.tasks import async_task

RUN_RECORD = "sync.tasks.run_record"
CLUSTER_NAME = "whalefall qcluster"
"""The `application_name` of the workers' connections to the store (settings)."""


class _Collector:
    """Takes the place of a broker, so that 1,000 packed tasks are pushed in one go."""

    def __init__(self, list_key: str) -> None:
        self.list_key = list_key
        self.packed: list[str] = []

    def enqueue(self, task: str) -> int:
        self.packed.append(task)
        return len(self.packed)


def enqueue(task: str, pks: Iterable[int]) -> int:
    """Queue `task` (a dotted name) once for each primary key; how many that were."""
    broker = get_broker()
    collector = _Collector(broker.list_key)
    for pk in pks:
        async_task(task, pk, broker=collector)
    if collector.packed:
        _push(broker, collector.packed)
    return len(collector.packed)


def enqueue_on_commit(task: str, pks: Iterable[int]) -> None:
    """The same once the transaction is committed. With the broker away nothing is raised: the
    records wait, and the reaper hands them over.
    """
    given = list(pks)

    # No functools.partial: Django looks for the name of a robust callback that failed.
    def hand_over() -> None:
        enqueue(task, given)

    transaction.on_commit(hand_over, robust=True)


def _push(broker: Broker, packed: list[str]) -> None:
    if isinstance(broker, ORM):
        now = timezone.now()
        broker.get_connection().bulk_create(
            [OrmQ(key=broker.list_key, payload=task, lock=now) for task in packed], batch_size=500
        )
    elif isinstance(broker, Redis):
        broker.connection.rpush(broker.list_key, *packed)
    else:
        for task in packed:
            broker.enqueue(task)


def waiting() -> int:
    """How many tasks wait that no worker has fetched."""
    size: int = get_broker().queue_size()
    return size


def live_workers() -> int:
    """About how many worker clusters are alive; 0 means that what is queued will not run.

    With Redis they tell there; without, django-q2 would tell in a cache that other processes may
    not see, so the store is asked for their connections.
    """
    broker = get_broker()
    if isinstance(broker, Redis):
        return len(Stat.get_all(broker))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s",
            [CLUSTER_NAME],
        )
        row: Any = cursor.fetchone()
    return int(row[0] > 0)
