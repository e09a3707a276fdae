import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import tokens
from classification.classify import classify
from classification.dsl import verdicts
from classification.dsl.parser import parse
from classification.dsl.subject import Subject
from classification.models import AccountClassification, ClassificationRule, RuleRevision
from classification.questions import Question
from classification.rulepack import classifications, load, packs
from classification.rulepack.document import document
from tests.admin.conftest import person
from tests.classification import cast

CASES = yaml.safe_load((Path(__file__).parent / "pack_cases.yaml").read_text())
RULES = {rule.id: rule for pack in packs() for rule in pack.rules}
VERDICTS = (True, False, None)


def subject(case, db_type):
    case = {"tokens": case} if isinstance(case, list) else dict(case)
    now = timezone.now()
    age, ended, idle = case.get("password_age"), case.get("ended"), case.get("idle")
    words = [*case.get("tokens", ()), tokens.kind(case.get("kind", "user"))]
    return Subject(
        db_type,
        case.get("username", "x@localhost"),
        frozenset(words),
        can_login=case.get("can_login", True),
        is_locked=case.get("locked", False),
        password_changed_at=None if age is None else now - timedelta(days=age),
        valid_until=None if ended is None else now - timedelta(days=ended),
        last_login_at=None if idle is None else now - timedelta(days=idle),
    )


@pytest.mark.parametrize("rule_id", RULES)
def test_a_shipped_rule_judges_its_three_accounts(rule_id):
    rule = RULES[rule_id]
    question = Question.of(parse(rule.expression, rule.db_type))
    for case, wanted in zip(CASES[rule_id], VERDICTS, strict=True):
        if case is not None:
            account = subject(case, rule.db_type)
            found = verdicts.evaluate(question.expression.root, account, question.context)
            assert (found.verdict, case) == (wanted, case)


def test_every_case_belongs_to_a_rule():
    assert CASES.keys() == RULES.keys()


WITHOUT: dict[str, str] = {}
"""Rules for which there is no account of one of the three sorts, and why."""


def test_every_rule_has_an_account_that_matches_one_that_does_not_and_one_unknown():
    lacking = {rule_id for rule_id, cases in CASES.items() if len(cases) != 3 or None in cases}
    assert lacking == WITHOUT.keys()


def test_every_rule_gives_a_classification_of_its_severity():
    risks = {code: data["risk"] for code, data in classifications().items()}
    assert [rule.id for rule in RULES.values() if risks[rule.gives] != rule.severity] == []


def test_every_reference_names_a_benchmark_of_the_pack():
    for pack in packs():
        for rule in pack.rules:
            assert {each["benchmark"] for each in rule.references} <= pack.benchmarks.keys()


def test_every_condition_is_covered_or_said_not_to_be():
    last_ones = {
        "mysql": ("MY", 28),
        "postgresql": ("PG", 27),
        "sqlserver": ("MS", 31),
        "oracle": ("OR", 34),
    }
    assert [pack.name for pack in packs()] == list(last_ones)
    for pack in packs():
        prefix, last = last_ones[pack.name]
        wanted = {f"{prefix}-{n:02}" for n in range(1, last + 1)}
        wanted |= {f"GX-{n:02}" for n in range(1, 11)}
        found = {"-".join(rule.id.split("-")[:2]) for rule in pack.rules}
        assert found | pack.not_covered.keys() == wanted
        assert not found & pack.not_covered.keys()


def test_the_page_in_the_docs_is_what_the_packs_say():
    page = Path(__file__).parents[2] / "docs" / "rules.md"
    assert page.read_text() == document(), "run: manage.py load_rules --document > docs/rules.md"


def load_now():
    return load(AccountClassification, ClassificationRule)


def checked(*options):
    out = StringIO()
    with pytest.raises(CommandError, match=r"\d+ changes are to be loaded"):
        call_command("load_rules", "--check", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def older(monkeypatch):
    """Loads the packs with an older text of one rule."""

    def load_older():
        old = replace(RULES["MY-05"], description="As it was.")
        pack = packs()[0]
        rules = tuple(old if rule.id == "MY-05" else rule for rule in pack.rules)
        older_packs = (replace(pack, rules=rules), *packs()[1:])
        with monkeypatch.context() as patch:
            patch.setattr("classification.rulepack.packs", lambda: older_packs)
            load_now()

    return load_older


@pytest.fixture
def administrator(db):
    client = Client()
    client.force_login(person("administrator"))
    return client


@pytest.mark.django_db
class TestLoading:
    def test_the_rules_come_with_their_classifications(self):
        loaded = load_now()
        assert len(loaded.created) == ClassificationRule.objects.count() == len(RULES)
        rule = ClassificationRule.objects.get(pack_id="MY-05")
        assert rule.rule_name == "MY-05 Server files"
        assert rule.classification.risk_level == "high"
        assert rule.classification.is_system
        assert {"benchmark": "cis-8", "id": "5.2"} in rule.references

    def test_loading_again_changes_nothing(self):
        load_now()
        before = list(ClassificationRule.objects.order_by("id").values())
        loaded = load_now()
        assert len(loaded.unchanged) == len(RULES)
        assert list(ClassificationRule.objects.order_by("id").values()) == before

    def test_what_a_person_changed_is_left_alone(self):
        load_now()
        rule = ClassificationRule.objects.get(pack_id="MY-05")
        rule.description = "Ours."
        rule.save()
        off = ClassificationRule.objects.get(pack_id="MY-06")
        ClassificationRule.objects.filter(pk=off.pk).update(is_active=False)
        loaded = load_now()
        rule.refresh_from_db()
        off.refresh_from_db()
        assert (loaded.kept, rule.description) == ([rule.rule_name], "Ours.")
        assert off.is_active is False

    def test_an_older_version_of_a_rule_is_brought_up_to_date(self, older):
        older()
        assert load_now().updated == ["MY-05 Server files"]
        text = ClassificationRule.objects.get(pack_id="MY-05").description
        assert text.startswith(RULES["MY-05"].description)

    def test_what_a_load_changes_stands_in_the_history_of_the_rule(self, older, administrator):
        older()
        call_command("load_rules", stdout=StringIO())
        rule = ClassificationRule.objects.get(pack_id="MY-05")
        made = rule.revisions.get()
        assert (made.who, made.user) == (f"load_rules {packs()[0].version}", None)
        assert made.before["description"].startswith("As it was.")
        page = administrator.get(f"/admin/classification/classificationrule/{rule.pk}/history/")
        assert made.who in page.content.decode()

    def test_a_load_by_command_says_that_it_made_the_rules(self):
        call_command("load_rules", stdout=StringIO())
        assert RuleRevision.objects.filter(before__isnull=True).count() == len(RULES)
        call_command("load_rules", stdout=StringIO())
        assert RuleRevision.objects.count() == len(RULES)

    def test_check_says_what_differs_in_an_update_and_in_what_is_kept(self, older):
        older()
        ClassificationRule.objects.filter(pack_id="MY-06").update(description="Ours.")
        found = json.loads(checked("--json"))
        assert found["kept"] == ["MY-06 Other sessions' statements"]
        old, new = found["differences"]["MY-05 Server files"]["description"]
        assert old.startswith("As it was.")
        assert new.startswith(RULES["MY-05"].description)
        assert found["differences"][found["kept"][0]]["description"][0] == "Ours."
        assert "As it was." in checked()

    def test_a_name_that_is_taken_is_reported(self):
        gives = cast.classification("ours")
        mine = cast.rule("MY-05 Server files", gives, cast.call("is_locked"))
        assert load_now().blocked == ["MY-05 Server files"]
        mine.refresh_from_db()
        assert mine.pack_id == ""

    def test_a_shipped_rule_is_switched_off_rather_than_deleted(self):
        load_now()
        rule = ClassificationRule.objects.get(pack_id="MY-05")
        with pytest.raises(ValidationError, match="shipped with the system; switch it off"):
            rule.delete()
        with pytest.raises(ValidationError):
            ClassificationRule.objects.filter(pk=rule.pk).delete()

    def test_check_says_what_would_be_loaded_and_writes_nothing(self):
        assert "MY-05 Server files" in checked("--json")
        assert not ClassificationRule.objects.exists()

    def test_the_store_agrees_about_every_case(self):
        load_now()
        wanted = {}
        for number, (rule_id, cases) in enumerate(CASES.items()):
            rule = RULES[rule_id]
            for case, verdict in zip(cases, VERDICTS, strict=True):
                if case is not None:
                    there = stored(rule.db_type, case, f"{number}{verdict}")
                    wanted.setdefault(rule_id, {})[there.pk] = verdict
        outcome = classify()
        assert outcome.failed == []
        for rule_id, accounts in wanted.items():
            rule = RULES[rule_id]
            question = Question.of(parse(rule.expression, rule.db_type))
            matches = set(question.matches().values_list("pk", flat=True))
            unknown = set(question.unknown().values_list("pk", flat=True))
            for pk, verdict in accounts.items():
                found = True if pk in matches else None if pk in unknown else False
                assert (rule_id, found) == (rule_id, verdict)


def stored(db_type, case, mark):
    """The account of a case, on an instance of its own: several have the same name."""
    account = subject(case, db_type)
    return cast.account(
        cast.instance(f"db{mark}", db_type),
        account.username,
        *account.tokens,
        kind="user" if isinstance(case, list) else case.get("kind", "user"),
        can_login=account.can_login,
        is_locked=account.is_locked,
        valid_until=account.valid_until,
        password_changed_at=account.password_changed_at,
        last_login_at=account.last_login_at,
    )
