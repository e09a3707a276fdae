"""The fleet that the API tests look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounts.models import AccountPermission, InstanceAccount
from accounts.serializers import TYPED as COLUMNS
from classification.models import AccountClassification, AccountClassificationAssignment
from whalefall.instances.models import Credential, Instance

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SECRET = "s3cr3t-of-the-collector"


def credential(name: str = "collector", **fields: Any) -> Credential:
    return Credential.objects.create(
        **{"name": name, "username": "whalefall", "password": SECRET, **fields}
    )


def instance(name: str = "orders-db", **fields: Any) -> Instance:
    defaults = {"db_type": "mysql", "host": f"{name}.example.org", "port": 3306}
    return Instance.objects.create(name=name, **(defaults | fields))


def account(
    username: str = "app_rw@%",
    on: Instance | None = None,
    *,
    tokens: tuple[str, ...] = (),
    facts: dict[str, Any] | None = None,
    collected: bool = True,
    **fields: Any,
) -> InstanceAccount:
    """An account as a sync leaves it; its permission row unless `collected=False`."""
    on = on or Instance.objects.first() or instance()
    columns = {name: fields.pop(name) for name in COLUMNS if name in fields}
    found = InstanceAccount.objects.create(
        instance=on,
        db_type=on.db_type,
        username=username,
        first_seen_at=NOW,
        last_seen_at=NOW,
        **fields,
    )
    if collected:
        AccountPermission.objects.create(
            account=found,
            instance=on,
            db_type=on.db_type,
            permission_snapshot={"version": 4, "db_type": on.db_type},
            permission_facts={"version": 2, "db_type": on.db_type, **(facts or {})},
            fact_tokens=sorted((f"db_type:{on.db_type}", "kind:user", *tokens)),
            last_sync_time=NOW,
            last_change_time=NOW,
            **columns,
        )
    return found


def classification(name: str = "super_admin", **fields: Any) -> AccountClassification:
    defaults = {"display_name": name.replace("_", " ").title(), "risk_level": "critical"}
    return AccountClassification.objects.create(name=name, **(defaults | fields))


def assigned(
    to: InstanceAccount, label: AccountClassification, **fields: Any
) -> AccountClassificationAssignment:
    return AccountClassificationAssignment.objects.create(
        account=to.permission, classification=label, assigned_at=NOW, **fields
    )
