"""How risks, classifications and their grounds look on every page."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import facts
from accounts.models import AccountPermission
from classification import colors
from classification.models import AccountClassification, AccountClassificationAssignment, RiskLevel
from whalefall.console import show
from whalefall.words import said

RISKS = list(RiskLevel.values)
SHOWN_TOKENS = 20


def risk_badge(classification: AccountClassification) -> Any:
    return show.state(classification.risk_level, classification.get_risk_level_display())


def classification_badge(classification: AccountClassification) -> Any:
    """The classification in its colour."""
    return format_html(
        '<span class="wf-badge wf-neutral" title="{}"><i class="wf-dot" style="background:{}"></i>'
        "{}</span>",
        classification.get_risk_level_display(),
        colors.shown(classification.color),
        classification,
    )


def accepted_badge(assignment: AccountClassificationAssignment) -> Any:
    """That the risk is accepted, with the grounds on pointing; None when it is not."""
    found = assignment.accepted
    if found is None:
        return None
    text = _("accepted until %(day)s") % {"day": found.ends_on.isoformat()}
    return show.badge(text, "neutral", f"{found.exception.approver}: {found.exception.reason}")


def evidence_lines(
    assignment: AccountClassificationAssignment, permission: AccountPermission
) -> list[str]:
    """The grounds in plain words: `alice -> team_rw -> dba_role: CREATE USER`, or the note."""
    if note := assignment.evidence.get("note"):
        return [note]
    rules = assignment.evidence.get("rules", ())
    found = list(dict.fromkeys(token for rule in rules for token in rule.get("tokens", ())))
    username = permission.account.username
    known = permission.permission_facts
    return [facts.explain(username, known, token, said) for token in found[:SHOWN_TOKENS]]
