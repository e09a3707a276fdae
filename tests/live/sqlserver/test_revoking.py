"""What the explanation says would have to be revoked: done in the catalog, the match is gone."""

from __future__ import annotations

import pytest

from accounts.collection import apply
from accounts.models import AccountPermission
from classification.remedy import statements
from tests.live.sqlserver.conftest import observed_by
from tests.live.sqlserver.fleet import ADMIN, PASSWORD
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def revoke(own):
    instance = Instance.objects.create(name="erp-db", db_type="sqlserver", host="db1", port=1433)
    apply(instance, observed_by(own, ADMIN, PASSWORD))

    def told(name, word):
        return statements(AccountPermission.objects.get(account__username=name), [word])

    return told


def test_a_login_loses_its_servers_role(revoke):
    assert revoke("boss", "cap:SUPERUSER") == ["ALTER SERVER ROLE [sysadmin] DROP MEMBER [boss];"]
    (nested,) = revoke("chief", "cap:SUPERUSER")
    assert nested.startswith("ALTER SERVER ROLE [inner] DROP MEMBER [chief];")


def test_the_users_membership_is_taken_and_not_the_user(revoke):
    (text,) = revoke("app", "cap:DATABASE_READ")
    assert text.startswith("USE [sales]; ALTER ROLE [readers] DROP MEMBER [app_user];")


def test_a_users_own_grant_is_taken_from_the_user(revoke):
    (text,) = revoke("officer", "cap:IMPERSONATE")
    assert text.startswith("USE [sales]; REVOKE IMPERSONATE ON USER::[owner_li] FROM [auditor];")


def test_a_permission_of_the_server_and_its_option(revoke):
    assert revoke("controller", "cap:SUPERUSER")[0].startswith(
        "REVOKE CONTROL SERVER FROM [control"
    )
    assert revoke("controller", "grantable:server:CONTROL SERVER") == [
        "REVOKE GRANT OPTION FOR CONTROL SERVER FROM [controller] CASCADE;"
    ]


def test_an_owner_hands_over(revoke):
    assert revoke("owner_li", "cap:OWNS_DATABASE") == [
        "ALTER AUTHORIZATION ON DATABASE::[chained] TO ...;"
    ]
