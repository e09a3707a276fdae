"""manage.py rotate_credential_key"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.utils.translation import gettext as _

from whalefall.instances.encryption import EncryptedTextField


class Command(BaseCommand):
    help = _(
        "Encrypt every stored password anew with the first key of CREDENTIAL_KEYS. Put the new "
        "key in front, run this, then take the old key away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            count = sum(_rotate(model, names) for model, names in _encrypted())
        self.stdout.write(_("%(count)d passwords encrypted anew.") % {"count": count})


def _encrypted() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model that holds secrets, of whatever app, with the names of these fields."""
    for model in apps.get_models():
        fields = model._meta.concrete_fields
        names = [field.name for field in fields if isinstance(field, EncryptedTextField)]
        if names and not model._meta.proxy:
            yield model, names


def _rotate(model: type[models.Model], names: list[str]) -> int:
    """How many secrets that were; an empty one is none."""
    rows = model._default_manager.select_for_update().order_by("pk")
    return sum(_encrypt_anew(model, pk, names) for pk in list(rows.values_list("pk", flat=True)))


def _encrypt_anew(model: type[models.Model], pk: Any, names: list[str]) -> int:
    rows = model._default_manager.filter(pk=pk)
    try:
        row = rows.get()
    except ImproperlyConfigured as exc:
        shown = rows.defer(*names).get()
        raise CommandError(_("%(name)s: %(why)s") % {"name": shown, "why": exc}) from exc
    row.save(update_fields=names)
    return sum(1 for name in names if getattr(row, name))
