"""A CSV file that somebody sends, read and turned into instances with their tags."""

from __future__ import annotations

import io
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from tags.attach import attach
from whalefall import audit
from whalefall.instances.imports import Import, read_csv
from whalefall.instances.models import Instance

LARGEST_FILE = 5 * 1024 * 1024


def read_upload(file: Any) -> Import:
    """Every row checked, nothing written. Raises ValueError when it is no such file at all."""
    if file.size > LARGEST_FILE:
        raise ValueError(_("The file is larger than 5 MB."))
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ValueError(_("The file is not UTF-8: %s") % exc.reason) from exc
    return read_csv(io.StringIO(text, newline=""))


def create(found: Import) -> list[Instance]:
    """The good rows as instances, with their tags, in one transaction."""
    with transaction.atomic():
        created = Import(rows=found.rows).create()
        attach({row.instance: row.tags for row in found.rows})
    for instance in created:
        audit.note(instance)
    return created
