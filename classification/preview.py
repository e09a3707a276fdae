"""What a rule would do before it is saved: whom it adds, drops, leaves unknown, with evidence."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import AccountPermission
from classification.dsl import verdicts
from classification.dsl.nodes import Expression, describe
from classification.dsl.subject import Subject
from classification.models import AccountClassificationAssignment
from classification.questions import Question

Json = dict[str, Any]


def preview(
    expression: Expression,
    classification_id: int | None = None,
    rule_id: int | None = None,
    limit: int = 20,
) -> Json:
    """Counts, and up to `limit` accounts of each kind with the verdict of every node.

    `rule_id` is the rule that the draft would replace: whom it has now and the draft has not are
    those to drop. Who has the classification otherwise is kept.
    """
    question = Question.of(expression)
    present = AccountPermission.objects.present().order_by()
    matches = question.matches().filter(pk__in=present.values("pk"))
    unknown = question.unknown().filter(pk__in=present.values("pk"))
    active = AccountClassificationAssignment.objects.filter(is_active=True)
    having = active.filter(classification=classification_id).values("account")
    # Whom a second rule gives it too does not lose it.
    alone = active.exclude(evidence__rules__1__isnull=False)
    by_rule = alone.filter(rule=rule_id, assignment_type="auto").values("account")
    # Whom nobody can judge keeps what he has.
    drop = present.filter(pk__in=by_rule).difference(matches, unknown) if rule_id else None
    matched = matches.count()
    added = matches.exclude(pk__in=having)
    lists = {
        "add": _listed(added, question, limit),
        "drop": _listed(_plain(present, drop), question, limit),
        "unknown": _listed(unknown, question, limit),
    }
    return {
        "reads_as": describe(expression.root),
        "matched": matched,
        "keep": matched - lists["add"]["total"],
        **lists,
    }


def _plain(present: QuerySet[AccountPermission], difference: Any) -> QuerySet[AccountPermission]:
    if difference is None:
        return present.none()
    return AccountPermission.objects.order_by().filter(pk__in=difference.values("pk"))


def _listed(found: QuerySet[AccountPermission], question: Question, limit: int) -> Json:
    some = found.select_related("account", "instance").defer("permission_snapshot")
    shown = some.order_by("instance__name", "account__username", "pk")[:limit]
    return {"total": found.count(), "items": [_item(each, question) for each in shown]}


def _item(permission: AccountPermission, question: Question) -> Json:
    root, context = question.expression.root, question.context
    return {
        "account_id": permission.account_id,
        "username": permission.account.username,
        "instance": permission.instance.name,
        "evidence": verdicts.evaluate(root, Subject.of(permission), context).as_json(),
    }
