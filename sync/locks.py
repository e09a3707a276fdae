"""Advisory locks of the store, over all workers and machines, gone with the connection that holds
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# The first of the two numbers of a lock; any that no other program uses in this database.
INSTANCE, JOB, CAPACITY, FLEET = 0x57480001, 0x57480002, 0x57480003, 0x57480004
CLASSIFICATION = 0x57480005


def take(group: int, number: int) -> bool:
    """Whether the lock was free and is now held by this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [group, number % 2**31])
        row = cursor.fetchone()
    return bool(row and row[0])


def give_back(group: int, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [group, number % 2**31])


def is_held(group: int, number: int) -> bool:
    """Whether anybody holds it. It is not taken: a job that begins just now would be
    sent away.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND objsubid = 2 AND classid = %s AND objid = %s AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [group, number % 2**31],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


@contextmanager
def held(group: int, number: int) -> Iterator[bool]:
    """`with held(JOB, 3) as free:`; the block runs either way."""
    free = take(group, number)
    try:
        yield free
    finally:
        if free:
            give_back(group, number)
