"""A container database read from its root: whose name is whose, and what counts where."""

from __future__ import annotations

import pytest

from accounts.collection import apply
from accounts.facts import Facts
from accounts.models import AccountChangeLog, AccountPermission
from tests.fakes.oracle.server import FakeOracle
from whalefall.engines.observed import Kind
from whalefall.instances.models import Instance


@pytest.fixture
def root():
    with FakeOracle("19.21.0.0.0", pluggable=("SALESPDB", "HRPDB")) as server:
        server.run("CREATE USER c##boss IDENTIFIED BY x", "CREATE ROLE c##team", everywhere=True)
        server.run("GRANT CREATE SESSION, DROP ANY TABLE TO c##boss", everywhere=True)
        server.run("GRANT c##team TO c##boss", everywhere=True)
        for name in ("SALESPDB", "HRPDB"):
            server.run("CREATE USER hr IDENTIFIED BY x", "CREATE ROLE local_role", container=name)
        server.run(
            "CREATE TABLE hr.emp",
            "GRANT SELECT ON hr.emp TO local_role",
            "GRANT local_role TO hr",
            "GRANT UPDATE ANY TABLE TO c##team",
            "GRANT ALTER SYSTEM TO local_role",
            container="SALESPDB",
        )
        server.run("GRANT dba TO hr", "ALTER USER hr ACCOUNT LOCK", container="HRPDB")
        yield server


@pytest.fixture
def found(engine, root):
    with engine.connect(root.target()) as opened:
        return opened.observe()


@pytest.fixture
def facts(engine, found):
    return {one.username: one.facts for one in Facts(found, engine.rules)}


def test_common_names_stand_once_and_local_ones_with_their_container(found):
    users = {name for name, one in found.accounts.items() if one.kind is Kind.USER}
    assert {"SYS", "C##BOSS", "HR@SALESPDB", "HR@HRPDB"} <= users
    assert "HR" not in users
    assert {"LOCAL_ROLE@SALESPDB", "LOCAL_ROLE@HRPDB", "DBA", "PUBLIC"} <= found.accounts.keys()
    assert found.accounts["HR@HRPDB"].is_locked
    assert not found.accounts["HR@SALESPDB"].is_locked
    assert found.settings["container"] == "CDB$ROOT"


def test_a_grant_stands_once_with_its_container(found):
    boss = [(one.privilege, *one.parts) for one in found.grants_of("C##BOSS")]
    assert boss.count(("DROP ANY TABLE", "ALL CONTAINERS")) == 1
    assert ("OWNER", "ALL CONTAINERS", "C##BOSS") in boss
    (update,) = found.grants_of("C##TEAM")
    assert (update.privilege, update.database) == ("UPDATE ANY TABLE", "SALESPDB")
    select = [one for one in found.grants_of("LOCAL_ROLE@SALESPDB") if one.privilege == "SELECT"]
    assert select[0].parts == ("SALESPDB", "HR", "EMP")
    publics = [one for one in found.grants_of("PUBLIC") if one.object == "UTL_HTTP"]
    assert len(publics) == 1


def test_a_right_in_all_containers_is_told_from_one_in_a_single_one(facts):
    assert facts["C##BOSS"]["privileges"]["system"] == {
        "ALL CONTAINERS": ["CREATE SESSION", "DROP ANY TABLE"],
        "SALESPDB": ["UPDATE ANY TABLE"],
    }
    reason = facts["C##BOSS"]["capability_reasons"]["COMMON_POWER"]
    assert reason["because"] == "DROP ANY TABLE in ALL CONTAINERS in all containers"


def test_a_role_given_in_one_container_counts_there_only(facts):
    local = facts["HR@HRPDB"]
    assert "SUPERUSER" in local["capabilities"]
    assert local["privileges"]["system"].keys() == {"HRPDB"}
    assert "SUPERUSER" not in facts["HR@SALESPDB"]["capabilities"]
    assert facts["HR@SALESPDB"]["privileges"]["table"] == {"SALESPDB.HR.EMP": ["SELECT"]}


def test_a_common_role_passes_on_in_a_container_only_what_it_has_there(engine, root):
    root.run("CREATE USER c##other IDENTIFIED BY x", everywhere=True)
    root.run("GRANT c##team TO c##other", container="HRPDB")
    with engine.connect(root.target()) as opened:
        observation = opened.observe()
    facts = {one.username: one.facts for one in Facts(observation, engine.rules)}
    assert facts["C##OTHER"]["direct_roles"] == ["C##TEAM"]
    assert "system" not in facts["C##OTHER"]["privileges"], "UPDATE ANY TABLE is in SALESPDB"


UNREAD = [
    (True, "this login does not see the container"),
    (False, "the container is not open (MOUNTED)"),
]


def close(root, hide):
    if hide:
        root.hidden_containers = {"HRPDB"}
    else:
        root.containers["HRPDB"].open_mode = "MOUNTED"
    root.changed()


@pytest.mark.parametrize(("hide", "reason"), UNREAD)
def test_a_container_that_cannot_be_read_is_named_and_the_others_count(engine, root, hide, reason):
    close(root, hide)
    with engine.connect(root.target()) as opened:
        found = opened.observe()
    for name in ("database_accounts", "memberships", "system", "table"):
        assert found.sections[name].databases == {"HRPDB": reason}
        assert not found.sections[name].is_complete
        assert "CONTAINER_DATA = ALL" in found.sections[name].remedy
    assert found.sections["accounts"].is_complete
    assert "HR@SALESPDB" in found.accounts
    assert "HR@HRPDB" not in found.accounts


@pytest.mark.django_db
@pytest.mark.parametrize(("hide", "reason"), UNREAD)
def test_users_that_cannot_be_seen_are_not_taken_for_gone(engine, root, hide, reason):
    instance = Instance.objects.create(name="cdb", db_type="oracle", host="cdb", port=1521)
    with engine.connect(root.target()) as opened:
        apply(instance, opened.observe())
    close(root, hide)
    with engine.connect(root.target()) as opened:
        assert apply(instance, opened.observe()).counts["deleted"] == 0
    kept = AccountPermission.objects.get(account__username="HR@HRPDB")
    assert kept.account.is_active
    assert "cap:SUPERUSER" in kept.fact_tokens
    assert not AccountChangeLog.objects.exclude(change_type="add").exists()


def test_one_statement_more_than_elsewhere(engine, root):
    with engine.connect(root.target()) as opened:
        opened.observe()
        assert opened.statements == 17, "16 outside the root, before 23ai"


def test_a_container_by_its_own_service_has_plain_names(engine, root):
    with engine.connect(root.target(database="salespdb")) as opened:
        found = opened.observe()
    assert {"HR", "C##BOSS", "LOCAL_ROLE"} <= found.accounts.keys()
    (select,) = [one for one in found.grants_of("LOCAL_ROLE") if one.privilege == "SELECT"]
    assert select.parts == ("HR", "EMP")
    (drop,) = [one for one in found.grants_of("C##BOSS") if one.privilege == "DROP ANY TABLE"]
    assert drop.traits == ("common",)


def test_sizes_bear_the_container(engine, root):
    root.run("CREATE TABLE hr.pay", container="SALESPDB")
    root.containers["SALESPDB"].segments = [("HR", "PAY", "TABLE", "USERS", 4096)]
    root.changed()
    with engine.connect(root.target()) as opened:
        names = {one.name for one in opened.observe_databases()}
        (table,) = opened.observe_tables("SALESPDB/USERS")
        assert list(opened.observe_tables("HRPDB/USERS")) == []
    assert {"CDB$ROOT/USERS", "SALESPDB/USERS", "HRPDB/TEMP"} <= names
    assert (table.database, table.schema, table.name) == ("SALESPDB/USERS", "HR", "PAY")
