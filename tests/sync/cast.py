"""The instances and sessions that these tests speak of."""

from __future__ import annotations

import json
from typing import Any

from classification.models import AccountClassification, ClassificationRule
from sync.models import SyncInstanceRecord, SyncSession, SyncType
from tests.servers.base import ThrowAwayServer
from whalefall.instances.models import Credential, Instance

PASSWORD = "s3cret-of-the-collector"


def credential(name: str = "collector", **fields: Any) -> Credential:
    values = {"username": "whalefall", "password": PASSWORD} | fields
    return Credential.objects.get_or_create(name=name, defaults=values)[0]


def instance(name: str = "orders-db", **fields: Any) -> Instance:
    """A MySQL instance at an address where nobody listens, unless told otherwise."""
    taken = Instance.objects.count()
    values = {
        "db_type": "mysql",
        "host": f"{name}.invalid",
        "port": 3306 + taken,
        "tls_mode": "off",
    }
    given = values | fields
    given.setdefault("credential", credential())
    return Instance.objects.create(name=name, **given)


def instances(count: int) -> list[Instance]:
    login = credential()
    return Instance.objects.bulk_create(
        Instance(
            name=f"db-{number:04}",
            db_type="mysql",
            host=f"db-{number:04}.invalid",
            port=3306,
            credential=login,
        )
        for number in range(count)
    )


def session(*names: str, **fields: Any) -> SyncSession:
    """A running session with one waiting record per name."""
    made = [Instance.objects.filter(name=name).first() or instance(name) for name in names]
    values = {"sync_type": SyncType.SCHEDULED_TASK, "enqueue": False} | fields
    return SyncSession.objects.start(values.pop("sync_type"), made, **values)


def claimed(found: SyncSession, name: str = "orders-db") -> SyncInstanceRecord:
    record = SyncInstanceRecord.objects.claim(found.records.get(instance_name=name).pk)
    assert record is not None
    return record


def end(found: SyncSession, name: str, error: str = "") -> None:
    record = claimed(found, name)
    if error:
        record.fail(error)
    else:
        record.complete({"synced": 1}, {})


def expire(record: SyncInstanceRecord) -> None:
    """As if its worker had been silent for longer than the lease."""
    SyncInstanceRecord.objects.filter(pk=record.pk).update(lease_until="2020-01-01T00:00Z")


def on(name: str, server: ThrowAwayServer, **fields: Any) -> Instance:
    """An instance on a real server, read by its administrator."""
    login = credential(
        f"admin-of-{name}", username=server.admin_username, password=server.admin_password
    )
    values = {"host": server.host, "port": server.port, "credential": login} | fields
    return instance(name, **values)


def superusers_are_critical() -> ClassificationRule:
    power = AccountClassification.objects.create(
        name="super_admin", display_name="Super", risk_level="critical"
    )
    expression = {"version": 4, "expr": {"fn": "is_superuser", "args": {}}}
    return ClassificationRule.objects.create(
        classification=power,
        db_type="mysql",
        rule_name="superusers",
        rule_expression=json.dumps(expression),
    )
