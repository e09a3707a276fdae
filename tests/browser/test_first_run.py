"""An empty system leads by the hand to the first risks of a server."""

import os

import pytest
from django.core.management import call_command

from tests.servers.base import Unavailable
from tests.servers.mariadb import MariaDBServer
from whalefall.instances.models import Credential, Instance

pytestmark = pytest.mark.xdist_group("browser")
BOSS = "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION"


@pytest.fixture
def server():
    server = MariaDBServer()
    try:
        server.start()
    except Unavailable as exc:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(exc))
    server.execute("CREATE USER boss@'%' IDENTIFIED BY 'x'", BOSS)
    yield server
    server.stop()


def fill(page, server, password: str) -> None:
    page.get_by_label("Name*", exact=True).fill("orders-db")
    page.get_by_label("Host").fill(server.host)
    page.get_by_label("Port").fill(str(server.port))
    page.get_by_label("TLS").select_option("off")
    page.get_by_label("User name").fill(server.admin_username)
    page.get_by_label("Password").fill(password)


def test_a_wrong_password_is_told_and_nothing_is_saved(page, server):
    page.goto("/admin/instances/instance/guide/?engine=mysql")
    fill(page, server, "not-this-one")
    page.get_by_role("button", name="Test, save").click()
    page.get_by_text("The server said no").wait_for()
    assert not Instance.objects.exists()
    assert not Credential.objects.exists()
    assert page.get_by_label("Password").input_value() == ""
    assert page.get_by_label("Name*", exact=True).input_value() == "orders-db"


def test_from_the_list_of_instances_to_the_first_risks(page, server):
    call_command("load_rules", verbosity=0)
    page.goto("/admin/instances/instance/")
    page.get_by_role("link", name="Add a server").click()
    page.get_by_role("link", name="MySQL / MariaDB").click()
    assert "GRANT SELECT ON mysql.user" in page.get_by_label("SQL script").inner_text()
    fill(page, server, server.admin_password)
    page.get_by_role("button", name="Test, save").click()
    page.get_by_text("4. See its first risks").wait_for(timeout=30_000)
    assert page.get_by_role("link", name="boss@%").is_visible()
    assert page.get_by_text("Critical").first.is_visible()
