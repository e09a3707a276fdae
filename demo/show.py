"""What the demo prints from the store: the risky accounts, and what changed."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from accounts.models import AccountChangeLog
from classification.models import AccountClassificationAssignment, RiskLevel
from sync.models import SyncSession

COLORS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
RISKY = (RiskLevel.CRITICAL, RiskLevel.HIGH)


def risks(console: Console, instances: Iterable[str]) -> None:
    """The accounts with a critical or high classification: rule, severity, path; then counts."""
    table = Table(title_justify="left", show_lines=False)
    for column in ("severity", "instance", "account", "rule", "path"):
        table.add_column(column, overflow="fold")
    found = list(assignments(instances))
    for each in found:
        level = each.classification.risk_level
        if level in RISKY:
            table.add_row(
                Text(level, COLORS.get(level, "")),
                each.account.instance.name,
                Text(each.account.account.username or "(anonymous)"),
                Text(each.rule.rule_name if each.rule else each.classification.display_name),
                Text(path(each)),
            )
    console.print(table)
    counts = dict.fromkeys(COLORS, 0)
    for each in found:
        if each.classification.risk_level in counts:
            counts[each.classification.risk_level] += 1
    console.print(", ".join(f"{count} {level}" for level, count in counts.items()))


def assignments(instances: Iterable[str]) -> Iterable[AccountClassificationAssignment]:
    """The active classifications of present accounts, worst first."""
    return sorted(
        AccountClassificationAssignment.objects.filter(
            is_active=True,
            account__account__is_active=True,
            account__instance__name__in=list(instances),
        ).select_related("classification", "rule", "account__account", "account__instance"),
        key=lambda each: (
            list(COLORS).index(each.classification.risk_level)
            if each.classification.risk_level in COLORS
            else len(COLORS),
            each.account.instance.name,
            each.account.account.username,
        ),
    )


def path(assignment: AccountClassificationAssignment) -> str:
    """How the account comes to what its rule asks about, from the stored evidence."""
    return ""


def changes(console: Console, session: SyncSession) -> None:
    """The change log of one session."""
    table = Table(title="Change log", title_justify="left")
    for column in ("instance", "account", "change", "what"):
        table.add_column(column, overflow="fold")
    for entry in log(session):
        table.add_row(
            entry.instance.name,
            Text(entry.account.username),
            str(entry.get_change_type_display()),
            Text("\n".join(differences(entry)) or entry.message),
        )
    console.print(table)


def log(session: SyncSession) -> list[AccountChangeLog]:
    """The changes that a session found, in the order of instances and accounts."""
    found = AccountChangeLog.objects.filter(session_id=session.session_id)
    rows = found.select_related("account", "instance")
    return sorted(rows, key=lambda entry: (entry.instance.name, entry.account.username))


def differences(entry: AccountChangeLog) -> list[str]:
    """A change in lines: `GRANT DELETE, DROP ON database:shop`, `password changed: x -> y`."""
    privileges = [
        f"{each['action']} {', '.join(each['permissions'])} ON {each['object']}"
        for each in entry.privilege_diff
    ]
    others = [f"{each['label']}: {each['before']} -> {each['after']}" for each in entry.other_diff]
    return privileges + others
