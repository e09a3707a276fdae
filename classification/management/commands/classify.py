"""`manage.py classify [--instance NAME] [--explain ACCOUNT] [--json]`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from accounts import facts
from accounts.models import AccountPermission
from classification.classify import NothingToClassify, classify
from classification.dsl import verdicts
from classification.dsl.errors import InvalidExpression
from classification.dsl.parser import parse
from classification.dsl.subject import Subject
from classification.outcome import Outcome
from classification.questions import Question
from classification.rules import ActiveRule, active_rules
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.instances.models import Instance

VERDICTS = {True: "true", False: "false", None: "unknown"}


class Command(BaseCommand):
    help = "Classify the accounts by the rules, or explain what the rules say about one account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--instance", metavar="NAME", help=_("only this instance (name or id)"))
        parser.add_argument(
            "--explain",
            metavar="ACCOUNT",
            help=_("every rule's verdict on this account with paths; nothing is written"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["instance"]
        instance = find(Instance.objects.present(), name) if name else None
        if options["explain"]:
            self.explain(options["explain"], instance, options["as_json"])
            return
        try:
            outcome = classify(instance_id=instance.pk if instance else None)
        except NothingToClassify as exc:
            raise CommandError(str(exc)) from exc
        self.report(outcome, options["as_json"])

    def report(self, outcome: Outcome, as_json: bool) -> None:
        if as_json:
            self.show_json(outcome.as_json())
        else:
            self._table(outcome)
        if outcome.failed:
            names = ", ".join(rule.name for rule in outcome.failed)
            raise CommandError(_("These rules failed: %(names)s") % {"names": names})

    def _table(self, outcome: Outcome) -> None:
        columns = {
            "name": _("rule"),
            "classification": _("gives"),
            "asked": _("asked of"),
            "matched": _("matched"),
            "added": _("added"),
            "removed": _("removed"),
            "unknown": _("unknown"),
            "error": _("error"),
        }
        rows = [
            {key: getattr(rule, key) for key in columns}
            for rule in outcome.rules
            if rule.matched or rule.added or rule.removed or rule.unknown or rule.error
        ]
        if rows:
            self.show(rows, columns, as_json=False)
        message = _(
            "%(accounts)d accounts, %(changed)d changed; %(rules)d rules:"
            " %(added)d added, %(removed)d removed, %(updated)d with other evidence"
        )
        counts = {
            "accounts": outcome.accounts,
            "changed": outcome.changed,
            "rules": len(outcome.rules),
            "added": outcome.added,
            "removed": outcome.removed,
            "updated": outcome.updated,
        }
        self.stdout.write(message % counts)

    def explain(self, name: str, instance: Instance | None, as_json: bool) -> None:
        permission = _account(name, instance)
        rows = [_verdict(rule, permission) for rule in active_rules(permission.db_type)]
        if not as_json:
            rows = [row for row in rows if row["verdict"] != "false"]
        columns = {
            "rule": _("rule"),
            "classification": _("gives"),
            "verdict": _("verdict"),
            "paths": _("because"),
            "missing": _("not readable"),
        }
        title = f"{permission.account.username} ({permission.instance.name})"
        self.show(rows, columns, as_json, title)


def _account(name: str, instance: Instance | None) -> AccountPermission:
    found = AccountPermission.objects.select_related("account", "instance")
    if instance is not None:
        found = found.filter(instance=instance)
    accounts = list(found.filter(account__username=name)[:2])
    if not accounts:
        raise CommandError(_("No synchronised account is called %(name)s.") % {"name": name})
    if len(accounts) > 1:
        message = _("Several instances have an account %(name)s: name one with --instance.")
        raise CommandError(message % {"name": name})
    return accounts[0]


def _verdict(rule: ActiveRule, permission: AccountPermission) -> dict[str, Any]:
    """One rule's verdict with the line of each path."""
    row: dict[str, Any] = {"rule": rule.name, "classification": rule.classification}
    try:
        question = Question.of(parse(rule.text, rule.db_type))
    except InvalidExpression as exc:
        return {**row, "verdict": "failed", "paths": exc.messages, "missing": []}
    subject = Subject.of(permission)
    finding = verdicts.evaluate(question.expression.root, subject, question.context)
    leaves = finding.leaves()
    words = dict.fromkeys(word for leaf in leaves if leaf.verdict for word in leaf.tokens)
    name, known = permission.account.username, permission.permission_facts
    return {
        **row,
        "verdict": VERDICTS[finding.verdict],
        "paths": [facts.explain(name, known, word) for word in words],
        "missing": sorted({section for leaf in leaves for section in leaf.missing}),
    }
