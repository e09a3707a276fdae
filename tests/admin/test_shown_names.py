"""What is shipped is read in the reader's language; what people wrote stays theirs."""

import pytest
from django.utils.translation import override

from classification.models import AccountClassification, ClassificationRule

pytestmark = pytest.mark.django_db
ANY = '{"version": 4, "expr": {"fn": "is_superuser", "args": {}}}'


def rule(**fields: str) -> ClassificationRule:
    return ClassificationRule(rule_expression=ANY, db_type="mysql", **fields)


def test_a_shipped_classification_speaks_chinese():
    shipped = AccountClassification(name="x", display_name="Superuser", is_system=True)
    with override("zh-hans"):
        assert str(shipped) == "超级用户"


def test_one_of_a_persons_own_keeps_its_name():
    own = AccountClassification(name="x", display_name="Superuser")
    with override("zh-hans"):
        assert str(own) == "Superuser"


def test_a_shipped_rule_keeps_its_number_and_translates_its_name():
    with override("zh-hans"):
        assert str(rule(rule_name="MY-02 Empty password", pack_id="MY-02")) == "MY-02 空密码"


def test_a_renamed_rule_keeps_the_new_name():
    with override("zh-hans"):
        assert str(rule(rule_name="Empty password", pack_id="MY-02")) == "Empty password"


def test_each_paragraph_of_its_description_is_translated():
    text = "Drop the account.\n\nOur own words."
    with override("zh-hans"):
        assert (
            rule(pack_id="MY-02", description=text).explanation == "删除该账户。\n\nOur own words."
        )


def test_nothing_said_stays_nothing():
    with override("zh-hans"):
        assert rule(pack_id="MY-02").explanation == ""


def test_the_list_of_rules_shows_the_names(administrator):
    power = AccountClassification.objects.create(name="x", display_name="X", is_system=True)
    made = rule(rule_name="MY-02 Empty password", pack_id="MY-02", classification=power)
    made.save()
    page = administrator.get(
        "/admin/classification/classificationrule/", headers={"accept-language": "zh-hans"}
    )
    assert "MY-02 空密码" in page.content.decode()
