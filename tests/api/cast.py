"""The fleet that the API tests look at."""

from __future__ import annotations

from typing import Any

from whalefall.instances.models import Credential, Instance

SECRET = "s3cr3t-of-the-collector"


def credential(name: str = "collector", **fields: Any) -> Credential:
    return Credential.objects.create(
        **{"name": name, "username": "whalefall", "password": SECRET, **fields}
    )


def instance(name: str = "orders-db", **fields: Any) -> Instance:
    defaults = {"db_type": "mysql", "host": f"{name}.example.org", "port": 3306}
    return Instance.objects.create(name=name, **(defaults | fields))
