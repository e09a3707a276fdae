"""Every page opens for whom it may, shows no form to whom it may not, and never a secret."""

import pytest
from django.contrib import admin
from django.urls import reverse

from tags.models import InstanceTag, Tag
from tests.admin import fleet

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label)
FOR_ADMINISTRATORS = {
    "auth.Group",
    "axes.AccessAttempt",
    "whalefall.AuditEntry",
    "whalefall.LogEntry",
    "whalefall.User",
}
MADE_BY_EVERYBODY = {"whalefall.ApiToken"}  # for themselves
every_page = pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)


@pytest.fixture
def full_house(administrator, orders_db):
    """At least one row for every page; the change of the tag is in the audit log."""
    accounts = fleet.store(orders_db, fleet.orders())
    fleet.change(accounts["app_rw"])
    fleet.classified(accounts["dba_li"])
    fleet.accepted(accounts["dba_li"])
    fleet.sizes(orders_db)
    fleet.session(orders_db)
    fleet.tasks()
    fleet.logs()
    fleet.notifications()
    fleet.wrong_passwords()
    fleet.api_token()
    tag = Tag.objects.create(name="prod", display_name="Production")
    InstanceTag.objects.create(instance=orders_db, tag=tag)
    form = {"name": "prod", "display_name": "Live", "color": "#aa0000", "is_active": "on"}
    administrator.post(f"/admin/tags/tag/{tag.pk}/change/", form)


def address(model, page, *args):
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def row_of(model):
    row = admin.site._registry[model].model._default_manager.first()
    assert row is not None, f"the house has no {model._meta.label}"
    return row


@every_page
def test_an_administrator_opens_it(full_house, administrator, model):
    for url in (address(model, "changelist"), address(model, "change", row_of(model).pk)):
        response = administrator.get(url)
        assert response.status_code == 200
        assert fleet.SECRET not in response.content.decode()


@every_page
def test_a_viewer_only_reads_it(full_house, viewer, model):
    expected = 403 if model._meta.label in FOR_ADMINISTRATORS else 200
    assert viewer.get(address(model, "changelist")).status_code == expected
    response = viewer.get(address(model, "change", row_of(model).pk))
    others = model._meta.label in MADE_BY_EVERYBODY  # which are not there
    assert response.status_code == (302 if others else expected)
    page = response.content.decode()
    assert 'name="_save"' not in page
    assert fleet.SECRET not in page


@every_page
def test_a_viewer_can_add_change_and_delete_nothing(full_house, viewer, model):
    pk = row_of(model).pk
    expected = 200 if model._meta.label in MADE_BY_EVERYBODY else 403
    assert viewer.post(address(model, "add"), {}).status_code == expected
    assert viewer.post(address(model, "change", pk), {}).status_code == 403
    assert viewer.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403
    # Not the newest: that somebody tried is in the audit log.
    assert admin.site._registry[model].model._default_manager.filter(pk=pk).exists()


@every_page
def test_it_is_closed_to_who_has_no_role(full_house, nobody, model):
    for url in (address(model, "changelist"), address(model, "change", row_of(model).pk)):
        assert nobody.get(url).url.startswith("/admin/login/")


@every_page
def test_it_can_be_searched(full_house, administrator, model):
    if admin.site._registry[model].search_fields:
        assert administrator.get(address(model, "changelist") + "?q=x").status_code == 200
