"""When each capability holds. The live tests ask the same of real servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engines.postgresql.cast import account, capabilities_of, grant, member
from whalefall.engines.observed import Scope
from whalefall.engines.postgresql import capabilities

DEFINER = ("security_definer", "superuser_owned")


def test_a_plain_login_has_none_but_its_missing_limits():
    assert capabilities_of("app_rw", account("app_rw")) == {
        "NO_VALID_UNTIL": "no VALID UNTIL",
        "NO_CONNECTION_LIMIT": "CONNECTION LIMIT -1",
    }


def test_public_has_nothing_that_only_a_login_can_have():
    assert capabilities_of("public") == {}


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("create_role", "CREATE_ROLE"),
        ("create_db", "CREATE_DB"),
        ("replication", "REPLICATION"),
        ("bypass_rls", "BYPASS_RLS"),
        ("superuser", "SUPERUSER"),
    ],
)
def test_attributes_give_their_capability(attribute, name):
    assert name in capabilities_of("dba_li", account("dba_li", **{attribute: True}))


def test_a_superuser_may_do_everything_and_needs_no_flaw():
    secured = grant("dba_li", "OWNER", Scope.TABLE, "shop", "public", "t", traits=("row_security",))
    found = capabilities_of("dba_li", account("dba_li", superuser=True), secured)
    assert set(capabilities.OF_SUPERUSERS) <= found.keys()
    assert "RLS_EXEMPT_OWNER" not in found


@pytest.mark.parametrize("role", ["rds_superuser", "cloudsqlsuperuser", "azure_pg_admin"])
def test_a_managed_service_has_its_own_superusers(role):
    found = capabilities_of("app", account("app"), account(role, False), member("app", role))
    assert found["SUPERUSER"].startswith(f"{role} is ")


@pytest.mark.parametrize(("version", "holds"), [("10", True), ("15", True), ("16", False)])
def test_create_role_administers_every_role_before_16(version, holds):
    found = capabilities_of("app", account("app", create_role=True), version=version)
    assert ("GRANT_ADMIN" in found) is holds


@pytest.mark.parametrize(
    ("role", "holds"),
    [("pg_execute_server_program", True), ("rds_superuser", True), ("reports", False)],
)
def test_admin_option_on_a_powerful_role_is_grant_admin(role, holds):
    edge = member("app", role, admin=True, inherit=False, set=False)
    found = capabilities_of("app", account("app"), account(role, False), edge)
    assert found["ADMIN_OPTION"] == f"ADMIN OPTION on {role}"
    assert ("GRANT_ADMIN" in found) is holds


def test_admin_option_on_a_superuser_is_grant_admin():
    edge = member("app", "boss", admin=True, inherit=False, set=False)
    assert "GRANT_ADMIN" in capabilities_of(
        "app", account("app"), account("boss", superuser=True), edge
    )


@pytest.mark.parametrize(("privilege", "name"), sorted(capabilities.BY_GLOBAL_PRIVILEGE.items()))
def test_rights_on_everything_give_their_capability(privilege, name):
    role = account("pg_any", False)
    given = grant("pg_any", privilege, Scope.GLOBAL)
    found = capabilities_of("app", account("app"), role, member("app", "pg_any"), given)
    assert found[name] == f"{privilege} (pg_any)"


def test_execute_on_a_file_function_is_file_access():
    given = grant("app", "EXECUTE", Scope.ROUTINE, "shop", "pg_catalog", "pg_read_file(text)")
    look_alike = grant("app", "EXECUTE", Scope.ROUTINE, "shop", "public", "pg_read_file(text)")
    assert "FILE_ACCESS" in capabilities_of("app", account("app"), given)
    assert "FILE_ACCESS" not in capabilities_of("app", account("app"), look_alike)


@pytest.mark.parametrize(
    ("who", "traits", "holds"),
    [
        ("public", DEFINER, True),
        ("app", DEFINER, False),
        ("app", ("search_path_open", *DEFINER), True),
        ("app", ("search_path_open", "security_definer"), False),
    ],
)
def test_security_definer_routines_of_superusers(who, traits, holds):
    given = grant(who, "EXECUTE", Scope.ROUTINE, "shop", "public", "f()", traits=traits)
    assert ("SUPERUSER_DEFINER" in capabilities_of(who, account("app"), given)) is holds


@pytest.mark.parametrize(
    ("traits", "holds"),
    [((), False), (("row_security",), True), (("row_security", "row_security_forced"), False)],
)
def test_an_owner_is_exempt_from_row_security_that_is_not_forced(traits, holds):
    given = grant("app", "OWNER", Scope.TABLE, "shop", "public", "orders", traits=traits)
    assert ("RLS_EXEMPT_OWNER" in capabilities_of("app", account("app"), given)) is holds


def test_create_on_public_counts_when_it_was_given():
    place = (Scope.SCHEMA, "shop", "public")
    given = grant("app", "CREATE", *place, grantor="owner")
    own = grant("app", "CREATE", *place, grantor="app")
    assert "CREATE_IN_PUBLIC" in capabilities_of("app", account("app"), given)
    assert "CREATE_IN_PUBLIC" not in capabilities_of("app", account("app"), own)


def test_owning_a_routine_in_an_untrusted_language_is_untrusted_code():
    traits = ("untrusted_language",)
    given = grant("app", "OWNER", Scope.ROUTINE, "shop", "public", "f()", traits=traits)
    assert "UNTRUSTED_CODE" in capabilities_of("app", account("app"), given)
    usable = grant("app", "EXECUTE", Scope.ROUTINE, "shop", "public", "f()", traits=traits)
    assert "UNTRUSTED_CODE" not in capabilities_of("app", account("app"), usable)


def test_a_user_mapping_for_public_is_foreign_access():
    given = grant("public", "USER MAPPING", Scope.OTHER, "shop", object="far",
                  object_type="user mapping")  # fmt: skip
    assert "FOREIGN_ACCESS" in capabilities_of("public", given)


def test_default_privileges_on_a_superusers_objects():
    given = grant("app", "DEFAULT SELECT", Scope.OTHER, "shop", object="tables of boss",
                  object_type="default privileges", traits=("superuser_owned",))  # fmt: skip
    assert {"DEFAULT_GRANTS", "SUPERUSER_DEFAULTS"} <= capabilities_of(
        "app", account("app"), given
    ).keys()


def test_writing_every_table_of_a_schema():
    owned = [
        grant("owner", "OWNER", Scope.TABLE, "shop", "public", name, object_type="table")
        for name in ("orders", "items")
    ]
    one, two = (
        grant("app", "INSERT", Scope.TABLE, "shop", "public", name) for name in ("orders", "items")
    )
    cast = (account("app"), account("owner", False), *owned)
    assert "WRITE_WHOLE_SCHEMA" not in capabilities_of("app", *cast, one)
    assert capabilities_of("app", *cast, one, two)["WRITE_WHOLE_SCHEMA"] == (
        "writes all 2 tables of shop.public"
    )


def test_an_owner_of_tables_there_does_not_count_as_writing_a_whole_schema():
    owned = [
        grant("app", "OWNER", Scope.TABLE, "shop", "public", name, object_type="table")
        for name in ("orders", "items")
    ]
    written = [
        grant("app", "INSERT", Scope.TABLE, "shop", "public", t) for t in ("orders", "items")
    ]
    assert "WRITE_WHOLE_SCHEMA" not in capabilities_of("app", account("app"), *owned, *written)


def test_an_unreadable_verifier_is_neither_missing_nor_md5():
    found = capabilities_of("app", account("app", password=None))
    assert not found.keys() & {"NO_PASSWORD", "MD5_PASSWORD"}


@pytest.mark.parametrize(("kind", "name"), [("none", "NO_PASSWORD"), ("md5", "MD5_PASSWORD")])
def test_the_kind_of_the_verifier(kind, name):
    assert name in capabilities_of("app", account("app", password=kind))
    assert name not in capabilities_of("app", account("app", False, password=kind))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["host", ["all"], ["all"], "0.0.0.0/0", "trust"], {"TRUST_LOGIN", "SUPERUSER_REMOTE"}),
        (["host", ["all"], ["all"], "127.0.0.1/32", "trust"], {"TRUST_LOGIN"}),
        (["local", ["all"], ["all"], "", "trust"], set()),
        (["hostssl", ["all"], ["dba_li"], "all", "password"],
         {"PLAINTEXT_LOGIN", "SUPERUSER_REMOTE"}),
        (["host", ["all"], ["+admins"], "all", "scram-sha-256"], {"SUPERUSER_REMOTE"}),
        (["host", ["all"], ["/^dba_"], "all", "scram-sha-256"], {"SUPERUSER_REMOTE"}),
        (["host", ["all"], ["somebody"], "all", "trust"], set()),
        (["host", ["all"], ["all"], "all", "reject"], set()),
    ],
)  # fmt: skip
def test_lines_of_pg_hba_for_a_superuser(line, expected):
    cast = (account("dba_li", superuser=True), account("admins", False), member("dba_li", "admins"))
    found = capabilities_of("dba_li", *cast, settings={"hba": json.dumps([line])})
    assert found.keys() & {"TRUST_LOGIN", "PLAINTEXT_LOGIN", "SUPERUSER_REMOTE"} == expected


def test_an_earlier_line_takes_the_connections_of_a_later_one():
    reject = ["host", ["all"], ["dba_li"], "all", "reject"]
    trust = ["host", ["shop"], ["all"], "10.0.0.0/8", "trust"]
    hba = {"hba": json.dumps([reject, trust])}
    assert "TRUST_LOGIN" not in capabilities_of("dba_li", account("dba_li"), settings=hba)
    assert "TRUST_LOGIN" in capabilities_of("app", account("app"), settings=hba)


def test_the_shortest_path_is_told():
    cast = (
        account("app"), account("near", False), account("far", False),
        member("app", "near"), member("near", "far"),
        grant("far", "OWNER", Scope.DATABASE, "shop"),
        grant("near", "OWNER", Scope.DATABASE, "crm"),
    )  # fmt: skip
    assert capabilities_of("app", *cast)["OWNS_DATABASE"] == "OWNER on crm"


def test_every_capability_names_its_sections():
    for name in capabilities.KNOWN:
        assert capabilities.sections(name), name
    assert capabilities.SECTIONS.keys() <= set(capabilities.KNOWN)
    assert set(capabilities.PERSONAL) <= set(capabilities.KNOWN)


def test_the_docs_name_every_capability_with_its_sections():
    page = (Path(__file__).parents[3] / "docs/engines/postgresql.md").read_text(encoding="utf-8")
    for name, text in capabilities.EXPLAINED.items():
        assert f"| `{name}` | {text} | {', '.join(capabilities.sections(name))} |" in page
