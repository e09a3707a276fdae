"""Which accounts come with a product: stored beside each account, by the patterns of
`hidden_accounts`.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as registry
from django.db import connection

from whalefall.engines.hidden import hidden as shipped
from whalefall.engines.hidden import like

# `{account}` is an alias of instance_accounts or of rows with a username, `%s` the engine.
IS_HIDDEN = """EXISTS (
    SELECT FROM hidden_accounts h
    WHERE h.db_type = %s AND h.is_active AND {account}.username LIKE h.name_like)"""

APPLY = f"""
UPDATE instance_accounts a SET comes_with_product = NOT a.comes_with_product
WHERE a.db_type = %s AND a.comes_with_product <> {IS_HIDDEN.format(account="a")}
"""  # noqa: S608


def apply(db_type: str) -> int:
    """Bring the accounts of an engine in line with its patterns; how many changed sides."""
    with connection.cursor() as cursor:
        cursor.execute(APPLY, [db_type, db_type])
        return cursor.rowcount


def load(apps: Any = registry, **kwargs: Any) -> None:
    """After each migrate: patterns that this version brings are added, those that it brings no
    more go; what people added or switched off stays.
    """
    try:
        model = apps.get_model("accounts", "HiddenAccount")
    except LookupError:  # `migrate accounts 0001`
        return
    for db_type, names in shipped().items():
        known = model.objects.filter(db_type=db_type)
        gone, _count = known.filter(is_shipped=True).exclude(pattern__in=names.accounts).delete()
        missing = set(names.accounts) - set(known.values_list("pattern", flat=True))
        model.objects.bulk_create(
            model(db_type=db_type, pattern=one, name_like=like(one), is_shipped=True)
            for one in sorted(missing)
        )
        if gone or missing:
            apply(db_type)
