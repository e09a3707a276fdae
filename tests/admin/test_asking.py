"""What cannot be undone, or begins something big, is asked about with its consequences."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classification.models import AccountClassification, ClassificationRule
from notify.models import Channel, Delivery
from sync.models import SyncSession
from tags.models import InstanceTag, Tag
from tests.admin import fleet
from tests.admin.reading import words
from whalefall.models import ApiToken, AuditEntry, User

INSTANCES = "/admin/instances/instance/"


def run(client, url, action, *rows, **more):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(url, data | more, follow=True)


@pytest.fixture
def stock_db(db):
    return fleet.instance("stock-db")


def test_the_recycle_bin_says_what_stays_and_how_it_comes_back(administrator, orders_db, stock_db):
    fleet.store(orders_db, fleet.orders())
    page = words(run(administrator, INSTANCES, "recycle", orders_db, stock_db))
    assert "Move 2 instances to the recycle bin?" in page
    assert "orders-db , stock-db" in page
    assert "5 accounts with their history" in page
    assert "Restore from the recycle bin" in page


def test_nothing_is_done_before_the_person_confirms(administrator, orders_db):
    run(administrator, INSTANCES, "recycle", orders_db)
    orders_db.refresh_from_db()
    assert orders_db.deleted_at is None
    assert not AuditEntry.objects.filter(action="recycle").exists()


def test_after_the_answer_it_is_done_and_the_audit_log_names_it(administrator, orders_db, stock_db):
    run(administrator, INSTANCES, "recycle", orders_db, stock_db, confirmed="yes")
    entry = AuditEntry.objects.get(action="recycle")
    assert entry.details["objects"] == ["orders-db", "stock-db"]


def test_the_page_of_one_instance_asks_the_same(administrator, orders_db):
    page = words(administrator.get(f"{INSTANCES}{orders_db.pk}/delete/"))
    assert "Move 1 instance to the recycle bin?" in page
    assert "everything that was read" in page


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("sync_accounts", "Synchronise the accounts of 2 instances?"),
        ("measure", "Measure the databases of 2 instances?"),
        ("classify", "Classify the accounts of 2 instances?"),
    ],
)
def test_a_big_session_is_announced(operator, orders_db, stock_db, action, says):
    page = words(run(operator, INSTANCES, action, orders_db, stock_db))
    assert says in page
    assert "Cancel” on the page of the session" in page
    assert not SyncSession.objects.exists()


def test_what_is_left_out_of_a_session_is_said_before(operator, orders_db, stock_db):
    paused = fleet.instance("paused-db", is_active=False)
    page = words(run(operator, INSTANCES, "sync_accounts", orders_db, stock_db, paused))
    assert "1 is left out: it is paused or in the recycle bin." in page


def test_one_instance_begins_at_once(operator, orders_db):
    run(operator, INSTANCES, "sync_accounts", orders_db)
    assert SyncSession.objects.get().total_instances == 1


@pytest.mark.parametrize("action", ["pause", "activate"])
def test_what_is_easily_undone_is_not_asked_about(administrator, orders_db, stock_db, action):
    page = words(run(administrator, INSTANCES, action, orders_db, stock_db))
    assert "The way back" not in page


def test_the_audit_log_names_the_instances_of_a_session(operator, orders_db, stock_db):
    run(operator, INSTANCES, "sync_accounts", orders_db, stock_db, confirmed="yes")
    assert AuditEntry.objects.get().details["objects"] == ["orders-db", "stock-db"]


def test_many_are_named_in_part_and_counted(administrator):
    many = [fleet.instance(f"db-{number:02}") for number in range(25)]
    page = words(run(administrator, INSTANCES, "recycle", *many))
    assert "db-19 and 5 more" in page


def test_the_question_takes_as_many_statements_for_many(administrator, orders_db, stock_db):
    several = [orders_db, *(fleet.instance(f"db-{number}") for number in range(8))]

    def statements(*rows):
        with CaptureQueriesContext(
            connection,
        ) as found:
            run(administrator, INSTANCES, "recycle", *rows)
        return len(found)

    run(administrator, INSTANCES, "recycle", orders_db)
    assert statements(orders_db, stock_db) == statements(*several)


class TestDeleting:
    def page(self, client, row):
        meta = row._meta
        return words(client.get(f"/admin/{meta.app_label}/{meta.model_name}/{row.pk}/delete/"))

    def test_a_tag_says_from_how_many_instances_it_is_taken(self, administrator, orders_db):
        tag = Tag.objects.create(name="prod")
        InstanceTag.objects.create(instance=orders_db, tag=tag)
        page = self.page(administrator, tag)
        assert "Delete 1 tag?" in page
        assert "It is taken off 1 instance." in page
        assert "Change tags" in page

    def test_several_tags_are_asked_about_together(self, administrator, orders_db):
        tags = [Tag.objects.create(name=name) for name in ("dev", "prod")]
        page = words(run(administrator, "/admin/tags/tag/", "delete_selected", *tags))
        assert "Delete 2 tags?" in page
        run(administrator, "/admin/tags/tag/", "delete_selected", *tags, post="yes")
        assert not Tag.objects.exists()
        assert AuditEntry.objects.get().details["objects"] == ["dev", "prod"]

    def test_a_credential_in_use_stays_and_the_page_says_why(self, administrator, orders_db):
        page = self.page(administrator, orders_db.credential)
        assert "collector is used by 1 instance: give it another one first." in page
        assert "No, go back" not in page

    def test_a_rule_says_who_loses_what_it_gave(self, administrator, orders_db):
        fleet.classified(fleet.store(orders_db, fleet.orders())["dba_li"])
        page = self.page(
            administrator, ClassificationRule.objects.get(rule_name="house superusers")
        )
        assert "1 account loses what it gave with the next run" in page
        assert "Switch it off instead" in page

    def test_a_shipped_rule_stays_and_the_page_says_why(self, administrator):
        label = AccountClassification.objects.create(name="house", priority=999)
        shipped = ClassificationRule.objects.create(
            classification=label, db_type="mysql", rule_name="shipped", pack_id="XX-1",
            rule_expression='{"version": 4, "expr": {"fn": "is_superuser"}}',
        )  # fmt: skip
        assert "shipped is shipped with the system" in self.page(administrator, shipped)
        url = f"/admin/classification/classificationrule/{shipped.pk}/delete/"
        administrator.post(url, {"post": "yes"})
        assert ClassificationRule.objects.filter(pk=shipped.pk).exists()

    def test_a_person_says_what_goes_along_and_goes(self, administrator):
        leaver = User.objects.create_user("vera")
        fleet.api_token()
        ApiToken.objects.update(user=leaver)
        assert "1 API token: programs that use it are refused." in self.page(administrator, leaver)
        administrator.post(f"/admin/whalefall/user/{leaver.pk}/delete/", {"post": "yes"})
        assert not User.objects.filter(username="vera").exists()

    def test_a_channel_with_a_history_says_it_and_goes(self, administrator):
        fleet.notifications()
        channel = Channel.objects.get()
        assert "1 message sent or waiting." in self.page(administrator, channel)
        administrator.post(f"/admin/notify/channel/{channel.pk}/delete/", {"post": "yes"})
        assert not Delivery.objects.exists()


def test_every_page_that_deletes_says_a_way_back(rf):
    for model, page in admin.site._registry.items():
        assert page.consequences([]).back, model._meta.label
