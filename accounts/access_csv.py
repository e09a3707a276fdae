"""The answer to "who has PRIVILEGE on OBJECT" as rows of CSV, a row for each way."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from accounts.access import Access

HEADER = ("instance", "db_type", "account", "kind", "path", "set_role", "how")


def rows(access: Access) -> Iterator[tuple[str, ...]]:
    """Instances that could not be read in full come last, without an account: a file that is
    passed on must not look complete where it is not.
    """
    for found in access.accounts().iterator(chunk_size=500):
        account, instance = found.account, found.instance
        for way in access.ways(found):
            path = " -> ".join(way.path)
            who = (instance.name, found.db_type, account.username, account.kind)
            yield (*who, path, way.needs_set_role, way.text)
    for there in access.unknown():
        text = _("not all could be read: %(accounts)d accounts may have it")
        yield (str(there["instance"]), "", "", "", "", "", text % there)
