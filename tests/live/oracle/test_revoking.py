"""What the explanation says would have to be revoked is what the dictionary can be told."""

from __future__ import annotations

import pytest

from accounts.collection import apply
from accounts.models import AccountPermission
from classification.remedy import statements
from tests.fakes.oracle.server import FakeOracle
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db


def stored(engine, server):
    instance = Instance.objects.create(name="hr-db", db_type="oracle", host="hr-db", port=1521)
    with engine.connect(server.target()) as opened:
        apply(instance, opened.observe())


def revoke(name, word):
    return statements(AccountPermission.objects.get(account__username=name), [word])


def test_a_role_a_privilege_and_its_option(engine, newest):
    stored(engine, newest)
    assert revoke("ALICE", "cap:READ_ALL_DATA") == ["REVOKE TEAM_RW FROM ALICE;"]
    assert revoke("BOB", "cap:SUPERUSER") == ["REVOKE SYSDBA FROM BOB;"]
    assert revoke("TEAM_RW", "cap:ADMIN_OPTION") == [
        "REVOKE SELECT ANY TABLE FROM TEAM_RW; GRANT SELECT ANY TABLE TO TEAM_RW;"
    ]
    assert revoke("APP", "role.admin:TEAM_RW") == ["REVOKE TEAM_RW FROM APP; GRANT TEAM_RW TO APP;"]


def test_objects_directories_and_proxies(engine, newest):
    stored(engine, newest)
    assert revoke("APP", "cap:IMPERSONATE") == ["ALTER USER HR REVOKE CONNECT THROUGH APP;"]
    assert revoke("APP", "cap:FILE_ACCESS") == ["REVOKE READ ON DIRECTORY DUMP_DIR FROM APP;"]
    assert revoke("PUBLIC", "cap:NETWORK_PACKAGES") == [
        "REVOKE EXECUTE ON SYS.UTL_HTTP FROM PUBLIC;"
    ]
    assert revoke("PUBLIC", "cap:PUBLIC_LINK") == ["DROP PUBLIC DATABASE LINK BACKDOOR;"]


def test_what_is_reached_by_set_role_is_taken_with_the_role(engine, newest):
    stored(engine, newest)
    assert revoke("ALICE", "reach:cap:SUPERUSER") == ["REVOKE DBA FROM ALICE;"]


def test_local_users_name_their_container(engine):
    with FakeOracle("19.21.0.0.0", ["SALESPDB"]) as root:
        root.run("CREATE USER hr IDENTIFIED BY x", "GRANT DROP USER TO hr", container="SALESPDB")
        stored(engine, root)
    assert revoke("HR@SALESPDB", "cap:CREATE_USER") == [
        "REVOKE DROP USER FROM HR; -- in container SALESPDB"
    ]


def test_running_what_it_says_ends_the_match(engine, newest):
    stored(engine, newest)
    newest.run(*revoke("BOB", "cap:SUPERUSER"), *revoke("APP", "cap:IMPERSONATE"))
    with engine.connect(newest.target()) as opened:
        apply(Instance.objects.get(), opened.observe())
    for name, capability in (("BOB", "SUPERUSER"), ("APP", "IMPERSONATE")):
        tokens = AccountPermission.objects.get(account__username=name).fact_tokens
        assert f"cap:{capability}" not in tokens
