"""What `manage.py check` says about the set-up of sign-in."""

from __future__ import annotations

import pytest

from whalefall import checks
from whalefall.sign_in import role_from


def found(settings, **values) -> list[str]:
    settings.DEV = False
    for name, value in values.items():
        setattr(settings, name, value)
    return [f"{each.msg} {each.hint or ''}".strip() for each in checks.sign_in(None)]


def test_nothing_set_up_is_nothing_wrong(settings):
    assert found(settings) == []


def test_a_provider_without_tls_is_refused(settings):
    messages = found(settings, OIDC_ISSUER="http://id.example", OIDC_CLIENT_ID="whalefall")
    assert [text.partition(" Whoever")[0] for text in messages] == ["OIDC_ISSUER is not https://"]


def test_a_provider_without_a_client_is_refused(settings):
    messages = found(settings, OIDC_ISSUER="https://id.example")
    assert messages == ["OIDC_ISSUER is set without OIDC_CLIENT_ID."]


@pytest.mark.parametrize("url", ["ldap://d.example", "ldaps://d.example ldap://e.example"])
def test_a_directory_without_tls_is_refused(settings, url):
    messages = found(settings, LDAP_URL=url)
    assert messages[0].startswith("LDAP_URL would send passwords in the clear.")


def test_a_directory_with_tls_is_not(settings):
    assert found(settings, LDAP_URL="ldap://d.example", LDAP_START_TLS=True) == []
    assert found(settings, LDAP_URL="ldaps://d.example", LDAP_START_TLS=False) == []


def test_an_unknown_kind_of_group_names_the_choices(settings):
    (message,) = found(settings, LDAP_URL="ldaps://d.example", LDAP_GROUP_TYPE="groups")
    assert "Unknown LDAP_GROUP_TYPE: groups. Must be one of: groupOfNames" in message


@pytest.mark.parametrize("roles", [[], {"boss": ["x"]}, {"viewer": "dbas"}, {"viewer": [1]}])
def test_a_mapping_of_roles_that_is_none_is_refused(settings, roles):
    (message,) = found(settings, OIDC_ROLES=roles)
    assert message.startswith("OIDC_ROLES is not a mapping of roles.")


@pytest.mark.parametrize(
    ("groups", "role"),
    [((), "viewer"), (("dbas",), "operator"), (("DBAS", "Leads"), "administrator")],
)
def test_the_highest_role_of_all_groups_counts_without_regard_to_case(groups, role):
    roles = {"viewer": ["*"], "operator": ["DBAs"], "administrator": ["leads"]}
    assert role_from(groups, roles) == role
    assert role_from(groups, {"operator": ["nobody"]}) is None
