"""What a rule was before and after each change by a person, kept with the audit entries.

Django's own entries say which fields changed; ours hold the rule as well, so that an earlier
state can be read and brought back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from classification.models import ClassificationRule
from whalefall import audit

Json = dict[str, Any]

FIELDS = (
    "rule_name",
    "classification_id",
    "db_type",
    "description",
    "rule_expression",
    "references",
    "is_active",
)


def content(rule: ClassificationRule) -> Json:
    """What a person can change about a rule, as JSON."""
    return {name: getattr(rule, name) for name in FIELDS}


def stored(rule: ClassificationRule) -> Json | None:
    """The same of the row as it stands in the store; None where there is none yet."""
    row = ClassificationRule.objects.filter(pk=rule.pk).first() if rule.pk else None
    return content(row) if row else None


def record(user_id: int, rule: ClassificationRule, before: Json | None) -> LogEntry:
    """An audit entry of an addition (`before` is None) or a change, with the rule in it."""
    after = content(rule)
    names = [name for name in FIELDS if before and before[name] != after[name]]
    labels = [_label(name) for name in names]
    told: Json = {"added": {}} if before is None else {"changed": {"fields": labels}}
    message = [told | {"before": before, "after": after}]
    flag = ADDITION if before is None else CHANGE
    entry: Any = LogEntry.objects.log_actions(
        user_id, [rule], flag, change_message=message, single_object=True
    )
    audit.note(rule, entry.get_change_message())
    made: LogEntry = entry
    return made


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry: `changes` are (field, before, after); `before` and `after` can be restored."""

    entry: LogEntry
    before: Json | None
    after: Json | None
    changes: tuple[tuple[str, Any, Any], ...]


def revisions(rule: ClassificationRule) -> list[Revision]:
    """The newest first; entries from elsewhere come without the rule."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(ClassificationRule), object_id=str(rule.pk)
    )
    return [_revision(entry) for entry in entries.select_related("user").order_by("-pk")]


def _revision(entry: LogEntry) -> Revision:
    told = _told(entry.change_message)
    before, after = told.get("before"), told.get("after")
    changes = tuple(
        (_label(name), before[name], after[name])
        for name in FIELDS
        if before and after and before[name] != after[name]
    )
    return Revision(entry, before, after, changes)


def _label(name: str) -> str:
    field: Any = ClassificationRule._meta.get_field(name)
    return str(field.verbose_name)


def _told(message: str) -> Json:
    try:
        value = json.loads(message)
    except ValueError:
        return {}
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def restore(user_id: int, rule: ClassificationRule, state: Json) -> bool:
    """Bring an earlier state back, as a change of its own; False when it is the present one.

    Raises ValidationError where it cannot stand any more (a name that another rule has taken, a
    classification that is gone).
    """
    before = content(rule)
    if all(before[name] == state[name] for name in FIELDS):
        return False
    for name in FIELDS:
        setattr(rule, name, state[name])
    rule.full_clean()
    rule.save()
    record(user_id, rule, before)
    return True
