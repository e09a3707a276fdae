"""As many rows of everything as a test asks for, whatever models there are: in one statement per
table, the values made from the fields.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

APPS = (
    *("whalefall", "instances", "tags", "accounts", "capacity", "classification", "sync"),
    *("notify", "django_q", "axes"),
)
LEFT_OUT = {"django_q.schedule", "django_q.success", "django_q.failure", "django_q.ormq"}
NOTICE = {"kind": "job_failed", "rule": "r", "time": "2026-11-22T01:00:00Z"}
CATEGORIES = {"attributes": {}, "memberships": [], "grants": [], "owns": []}
SNAPSHOT = {
    "version": 4,
    "db_type": "mysql",
    "categories": CATEGORIES,
    "sections": {},
    "type_specific": {"mysql": {}},
}
# What a value made from the field's type would not do for; "first" is the first row of the others.
GIVEN: dict[str, Any] = {
    "accounts.accountpermission.permission_snapshot": SNAPSHOT,
    "accounts.accountpermission.permission_facts": {"version": 2, "db_type": "mysql"},
    "accounts.accountpermission.fact_tokens": ["db_type:mysql", "kind:user"],
    "accounts.accountchangelog.account": "first",
    "accounts.accountchangelog.privilege_diff": [],
    "accounts.accountchangelog.other_diff": [],
    "capacity.databasetablesizestat.database": "first",
    "classification.classificationrule.rule_expression": (
        '{"expr":{"args":{},"fn":"is_superuser"},"version":4}'
    ),
    "sync.syncinstancerecord.session": "first",
    "sync.syncinstancerecord.status": "failed",
    "notify.delivery.notices": [NOTICE | {"data": {"job": "x", "error": "y"}}],
    "notify.alert.data": {"job": "x", "error": "y"},
    "notify.rule.kind": "job_failed",
    "whalefall.apitoken.user": "first",
    "whalefall.user.is_superuser": False,
    "django_q.task.result": None,
    "django_q.task.args": (),
    "django_q.task.kwargs": {},
}
_numbers = itertools.count(1)


def fill(count: int) -> None:
    """`count` more rows in every table."""
    made: dict[type[models.Model], list[models.Model]] = {}
    for model in _in_order():
        rows = [_row(model, index, made) for index in range(count)]
        model._base_manager.bulk_create(rows)
        made[model] = rows


def _in_order() -> list[type[models.Model]]:
    """Models that others point to come first."""
    waiting = [
        model
        for label in APPS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        if model._meta.label_lower not in LEFT_OUT and "_groups" not in model._meta.label_lower
        if "_user_permissions" not in model._meta.label_lower
    ]
    ordered: list[type[models.Model]] = []
    while waiting:
        ready = [model for model in waiting if not _targets(model) & set(waiting) - {model}]
        assert ready, f"a circle among {waiting}"
        ordered += ready
        waiting = [model for model in waiting if model not in ready]
    return ordered


def _targets(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}


def _row(model: type[models.Model], index: int, made: dict[Any, list[Any]]) -> models.Model:
    number = next(_numbers)
    values = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField):
            continue
        given = GIVEN.get(f"{model._meta.label_lower}.{field.name}", ...)
        if field.is_relation:
            rows = [] if given == "first" else made.get(field.related_model, [])
            values[field.name] = _related(field, model, rows[index : index + 1])
        elif given is not ...:
            values[field.name] = given
        else:
            values[field.name] = _value(field, number)
    return model(**values)


def _related(field: Any, model: Any, row: list[Any]) -> Any:
    """The row beside it, or else the first one there is; of its own table none."""
    if field.related_model is model:
        return None
    return row[0] if row else field.related_model._base_manager.order_by("pk").first()


def _value(field: models.Field, number: int) -> Any:
    if field.null:
        return None
    if field.choices and not field.unique:
        return next(key for key, _label in field.flatchoices if key)
    for kind, make in MAKERS.items():
        if isinstance(field, kind):
            return make(field, number)
    return field.get_default()


def _text(field: Any, number: int) -> str:
    end = f"-{number}"
    return f"{field.name}"[: (field.max_length or 100) - len(end)] + end


MAKERS: dict[Any, Callable[[Any, int], Any]] = {
    models.DateTimeField: lambda field, number: timezone.now(),
    models.DateField: lambda field, number: timezone.localdate(),
    models.BooleanField: lambda field, number: field.get_default() or field.name == "is_active",
    models.UUIDField: lambda field, number: uuid.uuid4(),
    models.EmailField: lambda field, number: f"u{number}@example.org",
    models.GenericIPAddressField: lambda field, number: "192.0.2.7",
    models.CharField: _text,
    models.TextField: _text,
    models.DurationField: lambda field, number: dt.timedelta(seconds=number),
    models.SmallIntegerField: lambda field, number: 1,
    models.IntegerField: lambda field, number: number,
    models.FloatField: lambda field, number: float(number),
    models.JSONField: lambda field, number: field.get_default() if field.has_default() else {},
}
