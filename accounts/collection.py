"""Phase 2 of an account sync: snapshots, facts and the change log, and `apply`, which does both
phases in one transaction. `docs/facts.md` tells what is written when.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import earlier, inventory, storable
from accounts.diff import Difference, diff
from accounts.facts import AccountFacts, Facts
from accounts.models import AccountPermission
from accounts.snapshot import Json
from whalefall.engines.base import Rules
from whalefall.engines.observed import Observation, Section
from whalefall.instances.models import Instance

ChangeType = AccountPermission.ChangeType

# Accounts compared and written at a time: what bounds the memory of a run.
BATCH = 1000

EARLIER = """
SELECT account.username, snapshot -> 'sections', snapshot #> '{categories,attributes}',
    snapshot -> 'type_specific',
    (SELECT coalesce(jsonb_agg(entry), '[]') FROM jsonb_array_elements(
        (snapshot #> '{categories,grants}') || (snapshot #> '{categories,owns}')) entry
     WHERE entry ->> 'section' = ANY(%s)),
    (SELECT coalesce(jsonb_agg(entry), '[]') FROM jsonb_array_elements(
        snapshot #> '{categories,memberships}') entry
     WHERE entry ->> 'section' = ANY(%s))
FROM account_permission permission
CROSS JOIN LATERAL (SELECT permission.permission_snapshot AS snapshot) as_stored
JOIN instance_accounts account ON account.id = permission.account_id
WHERE account.instance_id = %s
"""
OF_UNREAD_DATABASES = """
SELECT account.username, account.kind, permission_snapshot #> '{categories,attributes}',
    permission_snapshot -> 'type_specific'
FROM account_permission permission
JOIN instance_accounts account ON account.id = permission.account_id
WHERE account.instance_id = %s AND account.is_active
AND permission_snapshot #>> ARRAY['type_specific', permission.db_type, 'database'] = ANY(%s)
"""
KNOWN = """
SELECT account.username, account.id, permission.id, permission.snapshot_fingerprint,
    permission.facts_fingerprint, permission.last_login_at
FROM instance_accounts account
LEFT JOIN account_permission permission ON permission.account_id = account.id
WHERE account.instance_id = %s AND account.username = ANY(%s)
"""
SNAPSHOTS = """
SELECT account_id, permission_snapshot FROM account_permission WHERE account_id = ANY(%s)
"""
KEEP_SNAPSHOTS = """
INSERT INTO account_snapshot_history (account_id, until, permission_snapshot)
SELECT account_id, %s, permission_snapshot FROM account_permission WHERE account_id = ANY(%s)
ON CONFLICT (account_id, until) DO NOTHING
"""
NEW = """
DROP TABLE IF EXISTS pg_temp.new_permission;
CREATE TEMP TABLE new_permission (
    account_id bigint, snapshot jsonb, facts jsonb, tokens text[], snapshot_fingerprint text,
    facts_fingerprint text, is_superuser boolean, is_locked boolean, can_login boolean,
    valid_until timestamptz, password_changed_at timestamptz, last_login_at timestamptz,
    change_type text
) ON COMMIT DROP
"""
COPY_NEW = "COPY new_permission FROM STDIN"
WRITE = """
INSERT INTO account_permission AS old (
    account_id, instance_id, db_type, permission_snapshot, permission_facts, fact_tokens,
    snapshot_fingerprint, facts_fingerprint, is_superuser, is_locked, can_login, valid_until,
    password_changed_at, last_login_at, last_sync_time, last_change_type, last_change_time)
SELECT account_id, %(instance)s, %(db_type)s, snapshot, facts, tokens,
    snapshot_fingerprint, facts_fingerprint, is_superuser, is_locked, can_login, valid_until,
    password_changed_at, last_login_at, %(now)s, coalesce(change_type, ''), %(now)s
FROM new_permission ORDER BY account_id
ON CONFLICT (account_id) DO UPDATE SET
    permission_snapshot = excluded.permission_snapshot,
    permission_facts = excluded.permission_facts,
    fact_tokens = excluded.fact_tokens,
    snapshot_fingerprint = excluded.snapshot_fingerprint,
    facts_fingerprint = excluded.facts_fingerprint,
    is_superuser = excluded.is_superuser,
    is_locked = excluded.is_locked,
    can_login = excluded.can_login,
    valid_until = excluded.valid_until,
    password_changed_at = excluded.password_changed_at,
    last_login_at = excluded.last_login_at,
    last_sync_time = excluded.last_sync_time,
    last_change_type = coalesce(nullif(excluded.last_change_type, ''), old.last_change_type),
    last_change_time = CASE excluded.last_change_type
        WHEN '' THEN old.last_change_time ELSE excluded.last_change_time END
RETURNING id
"""
LOGINS = """
UPDATE account_permission permission SET last_login_at = seen.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS seen (id, at) WHERE permission.id = seen.id
"""
COPY_LOG = """
COPY account_change_log (account_id, instance_id, session_id, change_type, privilege_diff,
    other_diff, message, risk_before, risk_after, change_time) FROM STDIN
"""
LOG_GONE = """
INSERT INTO account_change_log (account_id, instance_id, session_id, change_type, privilege_diff,
    other_diff, message, risk_before, risk_after, change_time)
SELECT id, %s, %s, 'delete', '[]', '[]', %s, '', '', %s FROM unnest(%s::bigint[]) AS gone (id)
"""
MARK_GONE = """
UPDATE account_permission SET last_change_type = 'delete', last_change_time = %s
WHERE account_id = ANY(%s) RETURNING id
"""


class IncompleteAccounts(Exception):
    """The list of accounts was not read in full: nothing may be concluded from it."""


@dataclass(slots=True)
class Applied:
    """What a run did. `counts`: accounts by outcome. Ids are those of AccountPermission.

    `updated` are those changed themselves (in the log), `refreshed` those whose facts or sections
    changed through others. `incomplete`: section -> why it could not be read.
    """

    change_time: datetime
    counts: dict[str, int] = field(default_factory=dict)
    changed_ids: list[int] = field(default_factory=list)
    gone_ids: list[int] = field(default_factory=list)
    incomplete: dict[str, str] = field(default_factory=dict)


def apply(
    instance: Instance,
    observation: Observation,
    *,
    session_id: uuid.UUID | None = None,
    now: datetime | None = None,
    rules: Rules | None = None,
) -> Applied:
    """Store what was observed: all of it or nothing.

    Raises IncompleteAccounts, with nothing written, where the accounts section is not complete.
    """
    _require_accounts(observation)
    observation = storable.observation(observation)
    run = Run(instance, rules or instance.engine.rules, session_id, now or timezone.now())
    with transaction.atomic():
        run.apply(observation)
    return run.applied


def _require_accounts(observation: Observation) -> None:
    section = observation.sections.get("accounts")
    if section is not None and not section.is_complete:
        raise IncompleteAccounts(
            _("The accounts could not be read: %(why)s") % {"why": section.message}
        )
    if not observation.accounts:
        # The login that reads is an account itself: an empty list is a failed reading.
        raise IncompleteAccounts(_("The server showed no account at all."))


@dataclass(slots=True)
class Known:
    """What is stored of an account, as far as it takes to compare it."""

    account_id: int
    permission_id: int | None
    snapshot_fingerprint: str | None
    facts_fingerprint: str | None
    last_login_at: datetime | None


@dataclass(slots=True)
class Change:
    """An account to be written; without a difference it gets no line in the log."""

    account_id: int
    found: AccountFacts
    change_type: str | None
    difference: Difference


class Run:
    """One application of an observation to an instance, inside its transaction."""

    def __init__(
        self, instance: Instance, rules: Rules, session_id: uuid.UUID | None, now: datetime
    ) -> None:
        self.instance, self.rules, self.session_id, self.now = instance, rules, session_id, now
        self.applied = Applied(now)
        self.restored: set[int] = set()
        self._has_table = False

    def apply(self, observation: Observation) -> None:
        self._connected(observation)
        if unread := earlier.unread_databases(observation):
            earlier.keep(observation, self._accounts_of(unread))
        seen = inventory.apply_accounts(self.instance, observation.accounts.values(), self.now)
        self.restored = seen.restored
        self.applied.counts = {
            "synced": len(observation.accounts),
            "created": seen.created,
            "restored": len(seen.restored),
            "updated": 0,
            "refreshed": 0,
            "deleted": len(seen.gone),
            "unchanged": 0,
        }
        missing = earlier.incomplete(observation)
        self.applied.incomplete = {name: _why(section) for name, section in missing.items()}
        sections = earlier.take_over(observation, self._stored(list(missing))) if missing else {}
        for batch in _batches(Facts(observation, self.rules, sections)):
            self._apply_batch(batch)
        self._log_gone(seen.gone)

    def _connected(self, observation: Observation) -> None:
        """Also takes the row's lock: two runs over one instance follow each other."""
        values = {
            "version": observation.version[:255],
            "main_version": observation.main_version[:20],
            "last_connected_at": self.now,
        }
        Instance.objects.filter(pk=self.instance.pk).update(**values)
        for name, value in values.items():
            setattr(self.instance, name, value)

    def _accounts_of(self, databases: list[str]) -> list[Json]:
        with connection.cursor() as cursor:
            cursor.execute(OF_UNREAD_DATABASES, [self.instance.pk, databases])
            names = ("username", "kind", "attributes", "type_specific")
            return [
                dict(zip(names, (*row[:2], *map(_loaded, row[2:])), strict=True))
                for row in cursor.fetchall()
            ]

    def _stored(self, sections: list[str]) -> Iterator[earlier.Stored]:
        with connection.chunked_cursor() as cursor:
            cursor.execute(EARLIER, [sections, sections, self.instance.pk])
            for row in cursor:
                yield earlier.Stored(row[0], *map(_loaded, row[1:]))

    def _apply_batch(self, batch: Sequence[AccountFacts]) -> None:
        known = self._known([found.username for found in batch])
        differing: list[AccountFacts] = []
        same: list[AccountFacts] = []
        for found in batch:
            where = differing if self._differs(found, known[found.username]) else same
            where.append(found)
        old = self._snapshots(
            known[found.username].account_id
            for found in differing
            if known[found.username].snapshot_fingerprint not in (None, found.snapshot_fingerprint)
        )
        changes = [self._change(found, known[found.username], old) for found in differing]
        self._keep_snapshots(list(old))
        self._write(changes)
        self._log(change for change in changes if change.change_type)
        self._write_logins(same, known)
        self._count(len(batch), changes)

    def _known(self, usernames: list[str]) -> dict[str, Known]:
        with connection.cursor() as cursor:
            cursor.execute(KNOWN, [self.instance.pk, usernames])
            return {row[0]: Known(*row[1:]) for row in cursor.fetchall()}

    def _differs(self, found: AccountFacts, known: Known) -> bool:
        return (
            known.account_id in self.restored
            or found.snapshot_fingerprint != known.snapshot_fingerprint
            or found.facts_fingerprint != known.facts_fingerprint
        )

    def _snapshots(self, account_ids: Iterable[int]) -> dict[int, Json]:
        wanted = list(account_ids)
        if not wanted:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOTS, [wanted])
            return {pk: _loaded(snapshot) for pk, snapshot in cursor.fetchall()}

    def _keep_snapshots(self, account_ids: list[int]) -> None:
        """What is about to be replaced stays, as what was true until now."""
        if account_ids:
            with connection.cursor() as cursor:
                cursor.execute(KEEP_SNAPSHOTS, [self.now, account_ids])

    def _change(self, found: AccountFacts, known: Known, old: dict[int, Json]) -> Change:
        pk = known.account_id
        if known.permission_id is None:
            return Change(pk, found, ChangeType.ADD, diff(None, found.snapshot))
        difference = Difference()
        if pk in old:
            difference = diff(old[pk], found.snapshot)
        if pk in self.restored:
            return Change(pk, found, ChangeType.RESTORE, difference)
        return Change(pk, found, difference.change_type, difference)

    def _write(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        with connection.cursor() as cursor:
            cursor.execute(NEW if not self._has_table else "TRUNCATE new_permission")
            self._has_table = True
            with cursor.copy(COPY_NEW) as copy:
                for change in changes:
                    copy.write_row(_row(change))
            values: dict[str, Any] = {
                "instance": self.instance.pk,
                "db_type": self.instance.db_type,
                "now": self.now,
            }
            cursor.execute(WRITE, values)
            self.applied.changed_ids += [pk for (pk,) in cursor.fetchall()]

    def _log(self, changes: Iterable[Change]) -> None:
        rows = [
            (
                change.account_id,
                self.instance.pk,
                self.session_id,
                change.change_type,
                storable.json_text(change.difference.privilege_diff),
                storable.json_text(change.difference.other_diff),
                storable.text(_message(change)),
                "",
                "",
                self.now,
            )
            for change in changes
        ]
        if rows:
            with connection.cursor() as cursor, cursor.copy(COPY_LOG) as copy:
                for row in rows:
                    copy.write_row(row)

    def _write_logins(self, same: Sequence[AccountFacts], known: dict[str, Known]) -> None:
        """The last login, which is no change, of those that were not written anyway."""
        moved = [
            (known[found.username].permission_id, found.columns["last_login_at"])
            for found in same
            if found.columns["last_login_at"] != known[found.username].last_login_at
        ]
        if moved:
            with connection.cursor() as cursor:
                cursor.execute(LOGINS, list(map(list, zip(*moved, strict=True))))

    def _log_gone(self, gone: list[int]) -> None:
        if not gone:
            return
        message = _("no longer on the server")
        with connection.cursor() as cursor:
            cursor.execute(LOG_GONE, [self.instance.pk, self.session_id, message, self.now, gone])
            cursor.execute(MARK_GONE, [self.now, gone])
            self.applied.gone_ids = [pk for (pk,) in cursor.fetchall()]

    def _count(self, size: int, changes: Sequence[Change]) -> None:
        counts = self.applied.counts
        counts["unchanged"] += size - len(changes)
        for change in changes:
            if change.change_type is None:
                counts["refreshed"] += 1
            elif change.change_type not in (ChangeType.ADD, ChangeType.RESTORE):
                counts["updated"] += 1


def _row(change: Change) -> tuple[Any, ...]:
    found = change.found
    return (
        change.account_id,
        storable.json_text(found.snapshot),
        storable.json_text(found.facts),
        [storable.text(token) for token in found.tokens],
        found.snapshot_fingerprint,
        found.facts_fingerprint,
        *(found.columns[name] for name in COLUMNS),
        change.change_type,
    )


COLUMNS = (
    "is_superuser",
    "is_locked",
    "can_login",
    "valid_until",
    "password_changed_at",
    "last_login_at",
)


def _message(change: Change) -> str:
    said = change.difference.message
    if change.change_type == ChangeType.ADD:
        return _("new: %(what)s") % {"what": said} if said else _("new, without privileges")
    if change.change_type == ChangeType.RESTORE:
        return _("back: %(what)s") % {"what": said} if said else _("back, unchanged")
    return said


def _why(section: Section) -> str:
    return str(section.message or section.status.value)


def _loaded(value: Any) -> Any:
    """Django's connections give JSON of a raw cursor as text."""
    return json.loads(value)


def _batches(facts: Iterable[AccountFacts]) -> Iterator[list[AccountFacts]]:
    remaining = iter(facts)
    while batch := list(islice(remaining, BATCH)):
        yield batch
