"""The connection test, on real servers and on what is none."""

import pytest

from tests.servers.base import free_port
from tests.sync import cast
from tests.sync.proxy import silent_listener
from whalefall.engines.base import Target
from whalefall.instances.connection import test_connection as check
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db]


def test_a_success_says_version_and_login_and_is_remembered(orders_db):
    result = check(orders_db)
    assert result.success is True
    assert result.message.startswith("MariaDB 10.")
    assert "answers to test_admin@127.0.0.1" in result.message
    orders_db.refresh_from_db()
    assert orders_db.main_version == result.main_version
    assert orders_db.last_connected_at is not None


def test_tls_is_told(mariadb):
    assert check(cast.on("plain-db", mariadb)).tls is False
    Instance.objects.all().delete()
    assert check(cast.on("tls-db", mariadb, tls_mode="require")).tls is True


def test_a_postgresql_answers_too(postgresql):
    instance = cast.on("pg", postgresql, db_type="postgresql", database_name="postgres")
    assert check(instance).message.startswith("PostgreSQL 18")


def test_what_the_login_may_not_read_comes_with_its_remedy(orders_db, mariadb):
    mariadb.execute("CREATE USER poor@'%' IDENTIFIED BY 'poor'")
    orders_db.credential = cast.credential("poor", username="poor", password="poor")
    result = check(orders_db)
    assert result.success is True
    assert result.missing
    assert all(missing.remedy.startswith("GRANT ") for missing in result.missing)
    assert "It may not read everything" in result.message


def test_parameters_that_are_not_saved(mariadb):
    target = Target(
        mariadb.host, mariadb.port, mariadb.admin_username, mariadb.admin_password, tls_mode="off"
    )
    assert check(target, "mysql").success is True


def test_a_wrong_password_comes_with_its_remedy(orders_db):
    orders_db.credential.password = "wrong-horse"
    result = check(orders_db)
    assert (result.success, result.error_type) == (False, "LoginRefused")
    assert "Check the user name and the password" in result.remedy
    assert "wrong-horse" not in str(result)
    orders_db.refresh_from_db()
    assert orders_db.last_connected_at is None


@pytest.mark.parametrize("db_type", ["mysql", "postgresql"])
def test_nobody_there(db_type, db):
    result = check(cast.instance(host="127.0.0.1", port=free_port(), db_type=db_type))
    assert (result.success, result.error_type) == (False, "ConnectError")


@pytest.mark.parametrize("db_type", ["mysql", "postgresql"])
def test_a_silent_server_costs_its_timeout(db_type, settings):
    settings.CONNECT_TIMEOUT = 2
    with silent_listener() as port:
        result = check(cast.instance(host="127.0.0.1", port=port, db_type=db_type))
    assert (result.success, result.error_type) == (False, "ConnectError")


def test_an_instance_without_a_credential_is_said_so(db):
    result = check(cast.instance(credential=None))
    assert result.message == "Instance orders-db has no active credential."


def test_an_unknown_engine_names_the_choices(db):
    result = check(Target("h", 1, "u", "p"), "mongodb")
    assert result.message.startswith("Unknown engine: mongodb. Must be one of: mysql, postgresql")
