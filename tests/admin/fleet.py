"""Rows for the pages to show."""

from django.contrib.auth.models import Group

from whalefall.instances.models import Credential, Instance

SECRET = "s3cr3t-of-the-collector"


def credential(name: str = "collector") -> Credential:
    found = Credential.objects.filter(name=name).first()
    return found or Credential.objects.create(name=name, username="whalefall", password=SECRET)


def instance(name: str = "orders-db", **values) -> Instance:
    values = {"db_type": "postgresql", "host": f"{name}.example", "port": 5432} | values
    return Instance.objects.create(name=name, credential=credential(), **values)


def roles() -> None:
    for name in ("viewer", "operator", "administrator"):
        Group.objects.get_or_create(name=name)
