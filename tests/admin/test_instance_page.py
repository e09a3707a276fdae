"""The page of an instance: its state, risks, what could not be read, its syncs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tags.models import InstanceTag, Tag
from tests.admin import fleet
from tests.admin.reading import words
from whalefall.engines.observed import Section, SectionStatus

PAGE = "/admin/instances/instance/{}/change/"


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def text_of(client, instance):
    return words(client.get(PAGE.format(instance.pk)))


def test_it_says_where_and_what_it_is(viewer, orders_db):
    tag = Tag.objects.create(name="prod", display_name="Production")
    InstanceTag.objects.create(instance=orders_db, tag=tag)
    orders_db.connected("PostgreSQL 16.4 on x86_64", "16")
    page = text_of(viewer, orders_db)
    assert "orders-db active Production" in page
    assert "Engine PostgreSQL 16 PostgreSQL 16.4 on x86_64" in page
    assert f"orders-db.example:{orders_db.port}" in page
    assert "Last connected just now" in page


def test_it_warns_where_no_credential_is_left(viewer, orders_db):
    orders_db.credential = None
    orders_db.save()
    assert "none: it cannot be read" in text_of(viewer, orders_db)


def test_it_counts_accounts_by_risk_and_leads_to_them(viewer, orders_db, accounts):
    fleet.classified(accounts["dba_li"])
    page = viewer.get(PAGE.format(orders_db.pk))
    assert "5 accounts critical 1 Risk Account Classifications critical dba_li" in words(page)
    link = f"/admin/accounts/instanceaccount/?instance__id__exact={orders_db.pk}&amp;risk=critical"
    assert link in page.content.decode()
    (account,) = viewer.get(link.replace("&amp;", "&")).context["cl"].result_list
    assert account.username == "dba_li"


def test_it_names_what_could_not_be_read_and_what_mends_it(viewer, orders_db, accounts):
    page = text_of(viewer, orders_db)
    assert "Coverage 5 of 6 sections read in full" in page
    assert "rights on routines · denied permission denied for table pg_proc" in page
    assert "GRANT SELECT ON pg_proc TO whalefall;" in page


def test_sections_that_failed_alike_stand_together(viewer, orders_db):
    observation = fleet.orders()
    offline = {"archive": "the database is OFFLINE"}
    for name in ("schema", "table"):
        observation.sections[name] = Section(name, SectionStatus.FAILED, "1 of 6", "", offline)
    fleet.store(orders_db, observation)
    page = text_of(viewer, orders_db)
    assert "Coverage 4 of 7 sections read in full" in page
    assert "rights on schemas · failed rights on tables · failed 1 of 6 archive" in page
    assert "archive : the database is OFFLINE" in page


def test_an_instance_that_was_never_read_says_what_to_do(viewer, orders_db):
    page = text_of(viewer, orders_db)
    assert "Its accounts have not been read yet: synchronise them." in page
    assert "Databases and capacity 0 databases It has not been measured yet." in page
    assert "It has not been synchronised yet: use the buttons above." in page


def test_it_shows_its_databases_and_sizes(viewer, orders_db):
    fleet.sizes(orders_db)
    page = viewer.get(PAGE.format(orders_db.pk))
    assert "Databases and capacity 1 database" in words(page)
    link = (
        f"/admin/capacity/instancedatabase/?instance__id__exact={orders_db.pk}&is_active__exact=1"
    )
    assert link.replace("&", "&amp;") in page.content.decode()
    (database,) = viewer.get(link).context["cl"].result_list
    assert database.database_name == "shop"


def test_its_latest_syncs_lead_to_their_sessions(viewer, orders_db):
    session = fleet.session(orders_db, status="failed")
    page = viewer.get(PAGE.format(orders_db.pk))
    assert "just now accounts failed 0 0 0 0 30.0 s connection refused" in words(page)
    assert f"/admin/sync/syncsession/{session.pk}/change/" in page.content.decode()


def test_while_a_sync_runs_its_part_is_fetched_again(viewer, orders_db):
    running = fleet.session(orders_db, status="running")
    part = f"/admin/instances/instance/{orders_db.pk}/syncs/"
    assert f'hx-get="{part}"' in viewer.get(PAGE.format(orders_db.pk)).content.decode()
    assert "running now" in words(viewer.get(part))
    running.records.update(status="completed")
    assert viewer.get(part)["HX-Refresh"] == "true"


def test_the_form_of_a_new_instance_has_none_of_it(administrator):
    page = words(administrator.get("/admin/instances/instance/add/"))
    assert "Coverage" not in page
    assert "Latest syncs" not in page


def test_many_accounts_and_syncs_cost_no_more_queries(operator):
    counts = []
    for size in (5, 100):
        instance = fleet.instance(f"db-{size}")
        observation = fleet.orders()
        for n in range(size):
            account = fleet.role(f"user-{n}", superuser=True)
            observation.accounts[account.username] = account
        for account in fleet.store(instance, observation).values():
            fleet.classified(account)
        for _ in range(size):
            fleet.session(instance)
        operator.get(PAGE.format(instance.pk))
        with CaptureQueriesContext(connection) as caught:
            text_of(operator, instance)
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 40
