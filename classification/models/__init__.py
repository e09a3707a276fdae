"""Classifications, the rules that give them, and who has them."""

from classification.models.assignments import (
    AccountClassificationAssignment,
    AssignmentQuerySet,
    ClassifiedAccount,
)
from classification.models.classifications import (
    AccountClassification,
    ClassificationInUse,
    RiskLevel,
    SystemClassification,
)
from classification.models.exceptions import Acceptance, ExceptionQuerySet, RiskException
from classification.models.figures import AccountRisk, DailyCount
from classification.models.revisions import RuleRevision
from classification.models.rules import ClassificationRule, ShippedRule, fingerprint

__all__ = [
    "Acceptance",
    "AccountClassification",
    "AccountClassificationAssignment",
    "AccountRisk",
    "AssignmentQuerySet",
    "ClassificationInUse",
    "ClassificationRule",
    "ClassifiedAccount",
    "DailyCount",
    "ExceptionQuerySet",
    "RiskException",
    "RiskLevel",
    "RuleRevision",
    "ShippedRule",
    "SystemClassification",
    "fingerprint",
]
