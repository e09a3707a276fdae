"""What a rule would do before it is saved: whom it adds, drops, leaves unknown, with evidence."""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts.models import AccountPermission
from classification.dsl import verdicts
from classification.dsl.nodes import Expression, describe
from classification.dsl.subject import Subject
from classification.questions import Question, as_rows

Json = dict[str, Any]

# Each question is asked once; everything else is counted from its answer. Whom a second rule gives
# the classification too does not lose it, and whom nobody can judge keeps what he has.
PREVIEW = """
    WITH matched (id) AS MATERIALIZED ({matched}),
    unknown (id) AS MATERIALIZED ({unknown}),
    added AS MATERIALIZED (
        SELECT id FROM matched EXCEPT
        SELECT account_id FROM account_classification_assignments
        WHERE is_active AND classification_id = %s),
    given AS MATERIALIZED (
        SELECT account_id AS id FROM account_classification_assignments
        WHERE is_active AND assignment_type = 'auto' AND rule_id = %s
          AND classification_id = (
              SELECT classification_id FROM classification_rules WHERE id = %s)
          AND evidence #> '{{rules,1}}' IS NULL),
    dropped AS (
        SELECT g.id FROM given g
        JOIN account_permission p ON p.id = g.id
        JOIN instance_accounts a ON a.id = p.account_id AND a.is_active
        JOIN instances i ON i.id = p.instance_id AND i.deleted_at IS NULL
        WHERE NOT EXISTS (SELECT FROM matched m WHERE m.id = g.id)
          AND NOT EXISTS (SELECT FROM unknown u WHERE u.id = g.id)),
    found (kind, id) AS MATERIALIZED (
        SELECT 'add', id FROM added UNION ALL
        SELECT 'drop', id FROM dropped UNION ALL
        SELECT 'unknown', id FROM unknown),
    kinds (kind) AS (VALUES ('add'), ('drop'), ('unknown'))
    SELECT k.kind, (SELECT count(*) FROM matched),
        (SELECT count(*) FROM found f WHERE f.kind = k.kind),
        ARRAY(
            SELECT p.id FROM found f
            JOIN account_permission p ON p.id = f.id
            JOIN instance_accounts a ON a.id = p.account_id
            JOIN instances i ON i.id = p.instance_id
            WHERE f.kind = k.kind ORDER BY i.name, a.username, p.id LIMIT %s)
    FROM kinds k
"""


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
    present = {"account__is_active": True, "instance__deleted_at": None}
    matched, of_matched = as_rows(question.matches().filter(**present))
    unknown, of_unknown = as_rows(question.unknown().filter(**present))
    text = PREVIEW.format(matched=matched, unknown=unknown)
    draft = (classification_id, rule_id, rule_id, limit)
    with connection.cursor() as cursor:
        cursor.execute(text, (*of_matched, *of_unknown, *draft))
        rows = cursor.fetchall()
    items = _items([pk for row in rows for pk in row[3]], question)
    lists = {
        kind: {"total": total, "items": [items[pk] for pk in ids if pk in items]}
        for kind, _matched, total, ids in rows
    }
    count = rows[0][1]
    return {
        "reads_as": describe(expression.root),
        "matched": count,
        "keep": count - lists["add"]["total"],
        **lists,
    }


def _items(ids: list[int], question: Question) -> dict[int, Json]:
    some = AccountPermission.objects.filter(pk__in=ids).select_related("account", "instance")
    return {each.pk: _item(each, question) for each in some.defer("permission_snapshot")}


def _item(permission: AccountPermission, question: Question) -> Json:
    root, context = question.expression.root, question.context
    return {
        "account_id": permission.account_id,
        "username": permission.account.username,
        "instance": permission.instance.name,
        "evidence": verdicts.evaluate(root, Subject.of(permission), context).as_json(),
    }
