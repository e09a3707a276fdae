"""The browsable API shows rows, and forms to whom they help."""

from __future__ import annotations

import pytest

from classification.models import ClassificationRule
from tests.api.cast import SECRET, account, assigned, classification, credential, instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> dict[str, int]:
    label = classification("odd")
    rule = ClassificationRule.objects.create(
        classification=label,
        db_type="mysql",
        rule_name="odd",
        rule_expression={"version": 4, "expr": {"fn": "is_superuser"}},
    )
    orders = instance(credential=credential())
    who = account(on=orders)
    given = assigned(who, label, rule=rule)
    return {
        "instances/{}": orders.pk,
        "credentials/{}": orders.credential_id,
        "accounts/ledgers/{}/permissions": who.pk,
        "accounts/classifications/{}": label.pk,
        "accounts/classifications/rules/{}": rule.pk,
        "accounts/classifications/assignments/{}/explain": given.pk,
    }


def page(client, path: str) -> str:
    response = client.get(f"/api/v1/{path}", HTTP_ACCEPT="text/html")
    assert response.status_code == 200, response.content
    return response.content.decode()


def test_every_row_can_be_looked_at(administrator, viewer, rows):
    for path, pk in rows.items():
        for client in (administrator, viewer):
            shown = page(client, path.format(pk))
            assert "&quot;success&quot;: true" in shown
            assert SECRET not in shown


@pytest.mark.parametrize("path", ["instances", "credentials", "accounts/classifications/rules"])
def test_a_form_is_shown_to_whom_it_helps(administrator, viewer, path):
    assert 'name="_content"' in page(administrator, path)
    assert 'name="_content"' not in page(viewer, path)


@pytest.mark.parametrize("kind", ["instances", "credentials", "accounts/classifications"])
def test_the_button_to_delete_is_shown_to_whom_it_helps(administrator, viewer, rows, kind):
    path = f"{kind}/{rows[f'{kind}/{{}}']}"
    assert "DELETE" in page(administrator, path).split("<pre", 1)[0]
    assert "deleteModal" not in page(viewer, path)
