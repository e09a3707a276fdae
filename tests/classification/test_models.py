import pytest
from django.core.exceptions import ValidationError

from classification.dsl.errors import InvalidExpression
from classification.models import (
    AccountClassification,
    ClassificationInUse,
    ClassificationRule,
    SystemClassification,
)
from classification.models import AccountClassificationAssignment as Assignment
from tests.classification import cast
from tests.classification.cast import call, text

pytestmark = pytest.mark.django_db

SUPER = call("is_superuser")


@pytest.fixture
def admins():
    return cast.classification("super_admin")


def draft(gives, expression, name="draft"):
    return ClassificationRule(
        classification=gives, db_type="mysql", rule_name=name, rule_expression=expression
    )


def test_an_expression_is_stored_in_its_canonical_form(admins):
    rule = cast.rule("superusers", admins, SUPER)
    rule.refresh_from_db()
    assert rule.rule_expression == '{"expr":{"args":{},"fn":"is_superuser"},"version":4}'


def test_an_invalid_expression_is_never_stored(admins):
    with pytest.raises(InvalidExpression, match="Unknown function: is_superusr"):
        draft(admins, text(call("is_superusr"))).save()
    assert not ClassificationRule.objects.exists()


def test_a_form_gets_every_fault_at_its_field(admins):
    expr = {"op": "AND", "args": [call("is_superusr"), call("has_role", name="")]}
    with pytest.raises(ValidationError) as caught:
        draft(admins, text(expr)).full_clean()
    assert [
        message.partition(":")[0] for message in caught.value.message_dict["rule_expression"]
    ] == [
        "expr.args[0].fn",
        "expr.args[1].args.name",
    ]


def test_the_same_question_twice_is_refused(admins):
    cast.rule("superusers", admins, SUPER)
    with pytest.raises(ValidationError, match="Rule superusers asks the same already"):
        draft(admins, text(SUPER)).full_clean()
    draft(cast.classification("other"), text(SUPER)).full_clean()


def test_a_name_is_taken_once_per_engine(admins):
    cast.rule("superusers", admins, SUPER)
    with pytest.raises(ValidationError, match="A rule of this engine has this name already"):
        draft(admins, text(call("is_locked")), "superusers").full_clean()


def test_the_fingerprint_follows_the_question_alone(admins):
    rule = cast.rule("superusers", admins, SUPER)
    before = rule.fingerprint
    rule.rule_name = "renamed"
    assert rule.fingerprint == before
    rule.rule_expression = text(call("is_locked"))
    assert rule.fingerprint != before


def test_a_shipped_classification_cannot_be_deleted():
    shipped = cast.classification("superuser", is_system=True)
    with pytest.raises(SystemClassification, match="switch it off instead"):
        shipped.delete()
    with pytest.raises(SystemClassification):
        AccountClassification.objects.all().delete()


def test_a_classification_in_use_cannot_be_deleted(admins):
    rule = cast.rule("superusers", admins, SUPER)
    account = cast.account(cast.instance(), "x@%")
    row = Assignment.objects.assign(account, admins, None)
    with pytest.raises(ClassificationInUse, match="in use: 1 rules, 1 accounts"):
        admins.delete()
    rule.delete()
    row.deactivate(None)
    admins.delete()
    assert not AccountClassification.objects.exists()
