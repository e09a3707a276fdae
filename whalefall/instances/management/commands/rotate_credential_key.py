"""manage.py rotate_credential_key"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from whalefall.instances.models import Credential


class Command(BaseCommand):
    help = _(
        "Encrypt every stored password anew with the first key of CREDENTIAL_KEYS. Put the new "
        "key in front, run this, then take the old key away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            names = list(
                Credential.objects.select_for_update().order_by("pk").values_list("pk", "name")
            )
            for pk, name in names:
                _encrypt_anew(pk, name)
        self.stdout.write(_("%(count)d passwords encrypted anew.") % {"count": len(names)})


def _encrypt_anew(pk: int, name: str) -> None:
    try:
        Credential.objects.get(pk=pk).save(update_fields=("password",))
    except ImproperlyConfigured as exc:
        raise CommandError(_("%(name)s: %(why)s") % {"name": name, "why": exc}) from exc
