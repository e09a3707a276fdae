"""manage.py prune_history"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from sync import pruning
from whalefall.commands import Command as BaseCommand


class Command(BaseCommand):
    help = _("Delete history that is older than the WHALEFALL_KEEP_... settings.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [{"what": what, "deleted": count} for what, count in pruning.prune().items()]
        self.show(rows, {"what": _("what"), "deleted": _("deleted")}, options["as_json"])
