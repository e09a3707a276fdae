"""What the demo prints from the store: the risky accounts, and what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from accounts.facts import explain, path
from accounts.models import AccountChangeLog
from classification.models import (
    AccountClassificationAssignment,
    ClassificationRule,
    RiskLevel,
)
from sync.models import SyncSession

COLORS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": ""}
RISKY = (RiskLevel.CRITICAL, RiskLevel.HIGH)
NO_LOGIN = ("role", "group")
SHOWN = 3  # findings of one account


def risks(console: Console, instances: Iterable[str]) -> None:
    """The accounts with a critical or high classification: severity, rule, path; then counts.

    Roles are left out: what they can do shows in the paths of those who have them.
    """
    table = Table(title="Accounts at risk, the worst first", title_justify="left")
    table.add_column("severity")
    table.add_column("instance")
    table.add_column("account", overflow="fold")
    table.add_column("rule", overflow="fold")
    table.add_column("path", overflow="fold")
    found = assignments(instances)
    logins = [each for each in found if each.account.account.kind not in NO_LOGIN]
    for level, instance, username, rows in grouped(logins):
        for number, (rule, line) in enumerate(rows[:SHOWN]):
            who = (
                (Text(level, COLORS[level]), instance, Text(username)) if not number else ("",) * 3
            )
            table.add_row(*who, Text(rule), Text(line, "bold" if "->" in line else ""))
        if len(rows) > SHOWN:
            table.add_row("", "", "", Text(f"and {len(rows) - SHOWN} more", "dim"), "")
        table.add_section()
    console.print(table)
    counts = Counter(each.classification.risk_level for each in found)
    told = [f"{counts[level]} {level}" for level in COLORS]
    accepted = len(assignments(instances, accepted=True))
    console.print("All findings: " + ", ".join([*told, f"{accepted} accepted by people"]))


def grouped(
    found: Iterable[AccountClassificationAssignment],
) -> Iterator[tuple[str, str, str, list[tuple[str, str]]]]:
    """Per risky account its worst level, instance, name, and (rule, path) of each finding."""
    accounts: dict[int, list[AccountClassificationAssignment]] = {}
    for each in found:
        if each.classification.risk_level in RISKY:
            accounts.setdefault(each.account_id, []).append(each)
    rules = dict(ClassificationRule.objects.values_list("pk", "rule_name"))
    for each_account in accounts.values():
        first = each_account[0]
        rows = [row for each in each_account for row in evidence(each, rules)]
        instance, username = first.account.instance.name, first.account.account.username
        yield first.classification.risk_level, instance, username, rows


def evidence(
    assignment: AccountClassificationAssignment, rules: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    """(rule, path) of every rule that gave the classification: of its tokens the one that came
    the longest way.
    """
    username = assignment.account.account.username
    facts = assignment.account.permission_facts
    for match in assignment.evidence.get("rules", ()):
        tokens = sorted(match.get("tokens", ()), key=lambda token: -len(path(facts, token)))
        line = explain(username, facts, tokens[0]) if tokens else ""
        yield rules.get(match["rule"], "?"), line


def assignments(
    instances: Iterable[str], accepted: bool = False
) -> list[AccountClassificationAssignment]:
    """The active classifications of present accounts, worst first: those that count, or those
    whose risk somebody accepted.
    """
    found = (
        AccountClassificationAssignment.objects.accepted(accepted)
        .filter(
            is_active=True,
            account__account__is_active=True,
            account__instance__name__in=list(instances),
        )
        .select_related("classification", "rule", "account__account", "account__instance")
    )
    order = list(COLORS)
    return sorted(
        found,
        key=lambda each: (
            order.index(each.classification.risk_level),
            each.account.instance.name,
            each.account.account.username,
        ),
    )


def changes(console: Console, session: SyncSession) -> None:
    """The change log of one session."""
    table = Table(title="Change log", title_justify="left")
    for column in ("instance", "account", "change", "what", "risk"):
        table.add_column(column, overflow="fold")
    for entry in log(session):
        before, after = entry.risk_before or "none", entry.risk_after or "none"
        table.add_row(
            entry.instance.name,
            Text(entry.account.username),
            str(entry.get_change_type_display()),
            Text("\n".join(differences(entry)) or entry.message),
            after if before == after else Text(f"{before} -> {after}", COLORS.get(after, "")),
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
