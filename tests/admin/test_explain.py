"""The page of an account tells what each rule says, by which path, and what to revoke."""

import json

import pytest

from classification.explain import explain_rule
from classification.models import AccountClassification, ClassificationRule
from tests.admin import fleet

SUPERUSER = {"fn": "is_superuser", "args": {}}
DELETE = {"fn": "has_privilege", "args": {"name": "DELETE", "scope": "table"}}
CONNECT = {"fn": "has_privilege", "args": {"name": "CONNECT", "scope": "database"}}
ROUTINES = {"fn": "has_privilege", "args": {"name": "EXECUTE", "scope": "routine"}}


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def rule(expr, name="asked"):
    given = AccountClassification.objects.get_or_create(name="house_dba")[0]
    text = json.dumps({"version": 4, "expr": expr})
    values = {"db_type": "postgresql", "rule_name": name, "rule_expression": text}
    return ClassificationRule.objects.create(classification=given, **values)


def explained(account, expr):
    return explain_rule(account.permission, rule(expr))


def test_what_came_through_a_role_goes_with_the_membership(accounts):
    told = explained(accounts["app_rw"], DELETE)
    assert told["verdict"] == "true"
    assert told["paths"] == ["app_rw -> team_rw -> dba_role: DELETE"]
    assert told["revoke"] == ['REVOKE "team_rw" FROM "app_rw";']


def test_what_is_the_accounts_own_goes_by_itself(accounts):
    told = explained(accounts["app_rw"], CONNECT)
    assert told["revoke"] == ['REVOKE CONNECT ON DATABASE "shop" FROM "app_rw";']


def test_an_attribute_goes_by_altering_the_role(accounts):
    assert explained(accounts["dba_li"], SUPERUSER)["revoke"] == [
        'ALTER ROLE "dba_li" NOSUPERUSER;'
    ]


def test_what_was_not_granted_needs_no_revoke(accounts):
    told = explained(accounts["app_rw"], {"op": "NOT", "args": [SUPERUSER]})
    assert (told["verdict"], told["revoke"]) == ("true", [])


def test_what_could_not_be_read_is_unknown(accounts):
    told = explained(accounts["app_rw"], ROUTINES)
    assert (told["verdict"], told["revoke"]) == ("unknown", [])


def test_the_page_lists_every_rule_matches_first(viewer, accounts):
    rule(SUPERUSER, "superusers")
    rule(DELETE, "deleters")
    url = f"/admin/accounts/instanceaccount/{accounts['app_rw'].pk}/"
    assert f'hx-get="{url}explain/"' in viewer.get(f"{url}change/").content.decode()
    page = viewer.get(f"{url}explain/").content.decode()
    assert page.index("deleters") < page.index("1 rule does not match") < page.index("superusers")
    assert "REVOKE &quot;team_rw&quot; FROM &quot;app_rw&quot;;" in page


def test_who_has_no_role_gets_no_explanation(nobody, accounts):
    url = f"/admin/accounts/instanceaccount/{accounts['app_rw'].pk}/explain/"
    assert nobody.get(url).status_code == 302
