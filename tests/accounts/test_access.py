import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import Access, UnknownQuestion
from accounts.collection import apply
from tests.accounts.world import account, denied, grant, member, observe, role
from whalefall.engines.observed import GrantState, Kind, Scope
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db


def instance_with(name, *things, db_type="mysql", **values):
    found = Instance.objects.create(name=name, db_type=db_type, host=name, port=3306)
    observation = observe(*things, db_type=db_type, **values)
    observation.main_version = "16"
    apply(found, observation)
    return found


def holders(*question, **options):
    return [found.account.username for found in Access(*question, **options).accounts()]


def ways(username, *question, **options):
    access = Access(*question, **options)
    found = access.accounts().get(account__username=username)
    return [way.text for way in access.ways(found)]


def login(name, kind=Kind.USER, **attributes):
    """A role of PostgreSQL."""
    return account(name, kind=kind, attributes={"connection_limit": -1, **attributes})


def user(name):
    return account(f"{name}@%")


def test_every_wider_grant_on_mysql_counts():
    instance_with(
        "orders-db",
        *map(user, ("own", "db", "all", "pattern", "other", "wrong")),
        grant("own@%", "UPDATE", "sales.orders"),
        grant("db@%", "UPDATE", "sales"),
        grant("all@%", "UPDATE"),
        grant("pattern@%", "UPDATE", "sal%", is_pattern=True),
        grant("other@%", "UPDATE", "sales.carts"),
        grant("wrong@%", "UPDATE", "shop%", is_pattern=True),
    )
    assert holders("update", "sales.orders") == ["all@%", "db@%", "own@%", "pattern@%"]


def test_a_pattern_is_matched_as_the_server_does():
    instance_with(
        "orders-db",
        *map(user, ("escaped", "one", "quoted", "broken")),
        grant("escaped@%", "SELECT", r"my\_db", is_pattern=True),
        grant("one@%", "SELECT", "my_db", is_pattern=True),
        grant("quoted@%", "SELECT", 'm%@"x', is_pattern=True),
        grant("broken@%", "SELECT", "my_db\\", is_pattern=True),
    )
    assert holders("SELECT", "my_db") == ["escaped@%", "one@%"]
    assert holders("SELECT", "myxdb") == ["one@%"]
    assert holders("SELECT", '"my@""x"') == ["quoted@%"]
    assert ways("one@%", "SELECT", "my_db") == ["one@%: SELECT ON my_db"]


def test_a_partial_revoke_takes_its_database_out():
    instance_with(
        "orders-db",
        account("all@%"),
        grant("all@%", "SELECT"),
        grant("all@%", "SELECT", "hr", state=GrantState.REVOKE),
    )
    assert holders("SELECT", "sales") == ["all@%"]
    assert holders("SELECT", "hr") == []


def test_the_answer_says_by_which_path():
    instance_with(
        "orders-db",
        user("alice"),
        role("team@%"),
        role("dba@%"),
        member("alice@%", "team@%"),
        member("team@%", "dba@%"),
        grant("dba@%", "UPDATE"),
    )
    assert ways("alice@%", "UPDATE", "sales.orders") == ["alice@% -> team@% -> dba@%: UPDATE"]


def test_owners_superusers_and_tables_of_columns_count_on_postgresql():
    table = {"database": "sales", "schema": "public", "object": "orders"}
    instance_with(
        "shop-db",
        *map(login, ("owner", "reader", "nobody")),
        login("root", superuser=True),
        grant("owner", "OWNER", scope=Scope.TABLE, **table),
        grant("reader", "SELECT", scope=Scope.TABLE, **table),
        db_type="postgresql",
    )
    assert holders("SELECT", "sales.public.orders.id") == ["owner", "reader", "root"]
    assert holders("SELECT", "sales.orders") == ["owner", "reader", "root"]
    assert holders("SELECT", "public.orders", database="sales") == ["owner", "reader", "root"]


def test_public_stands_for_everybody_in_a_row_of_its_own():
    connect = {"scope": Scope.DATABASE, "database": "sales"}
    everybody = login("PUBLIC", Kind.PUBLIC)
    instance_with(
        "shop-db",
        login("alice"),
        everybody,
        grant("PUBLIC", "CONNECT", **connect),
        db_type="postgresql",
    )
    assert holders("CONNECT", "sales") == ["PUBLIC"]
    assert holders("CONNECT", "sales", public=False) == []


def test_who_needs_set_role_first_is_told_only_when_asked():
    instance_with(
        "shop-db",
        login("alice"),
        login("dba", Kind.ROLE, superuser=True),
        member("alice", "dba"),
        db_type="postgresql",
    )
    assert holders("SELECT", "sales.public.orders") == ["dba"]
    assert holders("SELECT", "sales.public.orders", reach=True) == ["alice", "dba"]
    (way,) = ways("alice", "SELECT", "sales.public.orders", reach=True)
    assert way.startswith("alice -> dba: SUPERUSER")
    assert way.endswith("(SET ROLE dba)")


def test_where_it_could_not_be_read_is_told():
    instance_with("orders-db", user("own"), grant("own@%", "UPDATE", "sales.orders"))
    instance_with("blind-db", user("own"), user("other"), sections=[denied("table")])
    assert Access("UPDATE", "sales.orders").unknown() == [{"instance": "blind-db", "accounts": 2}]


def test_who_is_gone_or_on_another_instance_does_not_count():
    there = instance_with("orders-db", user("own"), user("gone"), grant("gone@%", "UPDATE"))
    apply(there, observe(user("own")))
    other = instance_with("other-db", user("own"), grant("own@%", "UPDATE"))
    assert holders("UPDATE", "s.t", instances=Instance.objects.filter(pk=there.pk)) == []
    other.recycle()
    assert holders("UPDATE", "s.t") == []


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (("UPDAET", "sales"), "Unknown privilege: UPDAET. Did you mean UPDATE"),
        (("UPDATE", "a..b"), "A part of the name is empty: a..b"),
        (("FILE", "sales"), "FILE is not given on an object of 1 name parts.*global \\(0\\)"),
        (("SELECT", "a", "tabel"), "Unknown scope: tabel. Must be one of: global, server"),
    ],
)
def test_a_question_that_cannot_be_says_why(question, message):
    instance_with("orders-db", user("own"))
    privilege, name, *scope = question
    with pytest.raises(UnknownQuestion, match=message):
        Access(privilege, name, scope="".join(scope))


def test_the_number_of_queries_does_not_grow_with_the_accounts():
    counts = []
    for size in (10, 300):
        found = instance_with(
            f"db-{size}", *(user(f"u{n}") for n in range(size)), grant("u1@%", "UPDATE"),
            *(grant(f"u{n}@%", "UPDATE", "sales") for n in range(2, size)),
        )  # fmt: skip
        only = Instance.objects.filter(pk=found.pk)
        with CaptureQueriesContext(connection) as queries:
            access = Access("UPDATE", "sales.orders", instances=only)
            assert len([access.ways(row) for row in access.accounts()]) == size - 1
            access.unknown()
        counts.append(len(queries))
    assert counts == [3, 3]


def test_it_says_what_a_name_was_taken_for():
    instance_with("shop", user("app"))
    instance_with("billing", login("app"), db_type="postgresql")
    assert Access("SELECT", "sales.orders").understood() == [
        {"db_type": "mysql", "scope": "table", "object": "sales.orders"},
        {"db_type": "postgresql", "scope": "table", "object": "sales.public.orders"},
    ]
