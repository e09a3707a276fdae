"""What the API serves about classifications."""

from classification.viewsets.assignments import AssignmentViewSet
from classification.viewsets.classifications import ClassificationViewSet
from classification.viewsets.exceptions import ExceptionViewSet
from classification.viewsets.numbers import CacheViewSet, StatisticsViewSet
from classification.viewsets.rules import RuleViewSet

__all__ = [
    "AssignmentViewSet",
    "CacheViewSet",
    "ClassificationViewSet",
    "ExceptionViewSet",
    "RuleViewSet",
    "StatisticsViewSet",
]
