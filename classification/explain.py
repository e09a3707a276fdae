"""Why an account has a classification: the rule, the verdict of every node, the paths."""

from __future__ import annotations

from typing import Any

from accounts import facts
from accounts.models import AccountPermission
from classification.dsl import verdicts
from classification.dsl.errors import InvalidExpression
from classification.dsl.subject import Subject
from classification.models import AccountClassificationAssignment, ClassificationRule
from classification.questions import Question
from classification.remedy import grounds, statements
from whalefall.words import said


def explain(assignment: AccountClassificationAssignment) -> dict[str, Any]:
    """`{"assignment", "rule", "verdict", "finding", "paths"}`; the rule's part is None for what
    was given by hand, or where the rule is gone or cannot be read any more.

    The finding is of now: the account's facts may have changed since the last run.
    """
    permission, rule = assignment.account, assignment.rule
    told: dict[str, Any] = {
        "assignment": assignment,
        "rule": rule,
        "verdict": None,
        "finding": None,
        "paths": [],
    }
    if rule is None:
        return told
    try:
        question = Question.of(rule.parsed())
    except InvalidExpression:
        return told
    subject = Subject.of(permission)
    finding = verdicts.evaluate(question.expression.root, subject, question.context)
    shown = finding.as_json()
    words = [word for leaf in finding.leaves() if leaf.verdict for word in leaf.tokens]
    name, known = permission.account.username, permission.permission_facts
    paths = [facts.explain(name, known, word, said) for word in dict.fromkeys(words)]
    return told | {"verdict": shown["verdict"], "finding": shown, "paths": paths}


def explain_rule(permission: AccountPermission, rule: ClassificationRule) -> dict[str, Any]:
    """`{"rule", "verdict", "finding", "paths", "revoke"}`: what the rule says about the account
    now. `verdict` is true, false, unknown, or failed (the rule cannot be read any more). `revoke`
    are statements that would end a match; they are text and are never run.
    """
    told: dict[str, Any] = {"rule": rule, "finding": None, "paths": [], "revoke": []}
    try:
        question = Question.of(rule.parsed())
    except InvalidExpression:
        return told | {"verdict": "failed"}
    root = question.expression.root
    finding = verdicts.evaluate(root, Subject.of(permission), question.context)
    words = list(dict.fromkeys(grounds(root, finding)))
    name, known = permission.account.username, permission.permission_facts
    return told | {
        "verdict": finding.as_json()["verdict"],
        "finding": finding.as_json(),
        "paths": [facts.explain(name, known, word, said) for word in words],
        "revoke": statements(permission, words),
    }


def explain_all(permission: AccountPermission) -> list[dict[str, Any]]:
    """`explain_rule` of every active rule of the account's engine: matches first, then unknown."""
    rules = ClassificationRule.objects.filter(
        db_type=permission.db_type, is_active=True, classification__is_active=True
    ).select_related("classification")
    told = [explain_rule(permission, rule) for rule in rules]
    return sorted(told, key=lambda each: ORDER.index(each["verdict"]))


ORDER = ("true", "unknown", "failed", "false")
