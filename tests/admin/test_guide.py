"""The guide to a first server: who may use it, what it saves, what it says no to."""

import pytest

from accounts.models import InstanceAccount
from sync.models import SyncSession
from tests.admin import fleet
from whalefall.instances.models import Credential, Instance
from whalefall.models import AuditEntry

GUIDE = "/admin/instances/instance/guide/"
SECRET = "a-password-of-the-guide"


def given(**changed: str) -> dict[str, str]:
    values = {
        "name": "orders-db",
        "host": "127.0.0.1",
        "port": "1",
        "tls_mode": "off",
        "username": "whalefall",
        "password": SECRET,
    }
    return values | changed


@pytest.mark.parametrize("engine", ["mysql", "postgresql", "sqlserver", "oracle"])
def test_each_engine_shows_its_script_for_the_login_wanted(administrator, engine):
    page = administrator.get(GUIDE, {"engine": engine, "login": "reader_7"}).content.decode()
    assert "reader_7" in page
    assert "GRANT" in page


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_administrators_add_servers(request, role):
    assert request.getfixturevalue(role).get(GUIDE).status_code == 403


def test_a_port_where_nobody_listens_is_told_and_nothing_is_saved(administrator):
    page = administrator.post(GUIDE, given()).content.decode()
    assert "The server said no: nothing is saved yet" in page
    assert SECRET not in page
    assert (Instance.objects.count(), Credential.objects.count()) == (0, 0)


def test_it_can_be_saved_without_a_test_and_read_later(administrator):
    answer = administrator.post(GUIDE, given(untested="1"), follow=True)
    assert "Not read yet." in answer.content.decode()
    saved = Instance.objects.select_related("credential").get()
    assert (saved.name, saved.credential.name, saved.credential.password) == (
        "orders-db",
        "orders-db",
        SECRET,
    )


def test_what_is_missing_is_said_at_its_field(administrator):
    page = administrator.post(GUIDE, given(username="", password="")).content.decode()
    assert page.count("This field is required.") == 2


def test_oracle_wants_to_know_the_service(administrator):
    page = administrator.post(f"{GUIDE}?engine=oracle", given()).content.decode()
    assert "The service to connect to, such as ORCLPDB1." in page
    assert "This field is required." in page


def test_a_name_that_a_credential_has_is_refused_with_the_way_out(administrator):
    fleet.credential("orders-db")
    page = administrator.post(GUIDE, given(untested="1")).content.decode()
    assert "There is a credential called orders-db already: choose it above." in page


def test_a_stored_credential_serves_without_a_password(administrator):
    stored = fleet.credential()
    wanted = given(untested="1", credential=str(stored.pk), username="", password="")
    administrator.post(GUIDE, wanted)
    assert Instance.objects.get().credential == stored


def test_the_audit_log_says_who_added_it_and_not_the_password(administrator):
    administrator.post(GUIDE, given(untested="1"))
    entries = str(list(AuditEntry.objects.values()))
    assert "orders-db" in entries
    assert SECRET not in entries


def test_a_failed_first_reading_says_why_and_offers_another(administrator, orders_db):
    page = administrator.post(f"{GUIDE}{orders_db.pk}/", follow=True).content.decode()
    assert "It could not be read" in page
    assert "Read it again" in page
    assert SyncSession.objects.get().status == "failed"


def test_an_instance_that_is_read_shows_how_many_accounts_there_are(administrator, orders_db):
    fleet.store(orders_db, fleet.orders())
    fleet.session(orders_db)
    page = administrator.get(f"{GUIDE}{orders_db.pk}/").content.decode()
    number = InstanceAccount.objects.filter(comes_with_product=False).count()
    assert f"{number} accounts are known now" in page
