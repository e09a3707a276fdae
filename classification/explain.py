"""Why an account has a classification: the rule, the verdict of every node, the paths."""

from __future__ import annotations

from typing import Any

from accounts import facts
from classification.dsl import verdicts
from classification.dsl.errors import InvalidExpression
from classification.dsl.subject import Subject
from classification.models import AccountClassificationAssignment
from classification.questions import Question


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
    paths = [facts.explain(name, known, word) for word in dict.fromkeys(words)]
    return told | {"verdict": shown["verdict"], "finding": shown, "paths": paths}
