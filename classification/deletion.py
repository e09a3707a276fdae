"""Accounts that are deleted, not only gone, take along what runs wrote about them.

That has no foreign keys in the store, which would cost a run a write of every account's wide row;
and Django looks for what is to be deleted before it can wait for a run that is still writing it.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.signals import pre_delete

from accounts.models import AccountPermission, InstanceAccount
from classification.classify import LOCK
from whalefall.instances.models import Instance

COLUMNS: dict[type[Model], str] = {
    Instance: "instance_id",
    InstanceAccount: "account_id",
    AccountPermission: "id",
}

FORGET = """
    WITH gone AS MATERIALIZED (SELECT id FROM account_permission WHERE {column} = %s),
    given AS (DELETE FROM account_classification_assignments
              WHERE account_id IN (SELECT id FROM gone) RETURNING id),
    accepted AS (DELETE FROM accepted_assignments
                 WHERE assignment_id IN (SELECT id FROM given)),
    weighed AS (DELETE FROM account_risks WHERE permission_id IN (SELECT id FROM gone))
    DELETE FROM classified_accounts WHERE permission_id IN (SELECT id FROM gone)
"""


def listen() -> None:
    """Called once, from `ready()`."""
    for model in COLUMNS:
        pre_delete.connect(forget, model, dispatch_uid=f"{__name__}.{model.__name__}")


def forget(sender: type[Model], instance: Model, using: str, origin: Any, **kwargs: Any) -> None:
    """Wait for the runs, hold back others until the deletion is committed, and clear up. Rows that
    go along with another one need nothing of their own.
    """
    asked = origin.model if isinstance(origin, QuerySet) else type(origin)
    if sender is asked:
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
            cursor.execute(FORGET.format(column=COLUMNS[sender]), (instance.pk,))
