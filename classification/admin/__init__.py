"""Pages of classifications, rules and assignments, and what accounts are, on their pages."""

from classification.admin import (
    accounts,
    assignments,
    classifications,
    exceptions,
    instances,
    rules,
)

__all__ = [
    "accounts",
    "assignments",
    "classifications",
    "exceptions",
    "instances",
    "rules",
]
