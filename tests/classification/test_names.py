"""Names for completing, and the declarations that the builder is fed with."""

import pytest

from capacity.models import InstanceDatabase
from classification.dsl.base import PREDICATES
from classification.names import names
from classification.shape import shapes
from tests.admin import fleet


@pytest.fixture
def orders_db(db):
    instance = fleet.instance("orders-db")
    fleet.store(instance, fleet.orders())
    return instance


def test_roles_are_found_by_a_part_of_their_name(orders_db):
    assert names("postgresql", "role", "DBA") == ["dba_role"]


def test_databases_come_from_the_inventory_and_the_grants(orders_db):
    now = orders_db.created_at
    InstanceDatabase.objects.create(
        instance=orders_db, database_name="shop_archive", first_seen_at=now, last_seen_at=now
    )
    assert "shop_archive" in names("postgresql", "database", "shop")


def test_objects_are_those_that_somebody_has_rights_on(orders_db):
    assert "shop.public.orders" in names("postgresql", "object", "orders")


def test_another_engine_has_names_of_its_own(orders_db):
    assert names("mysql", "role") == []


def test_wildcards_in_what_is_typed_stand_for_themselves(orders_db):
    assert names("postgresql", "role", "%") == []


def test_an_unknown_kind_has_no_names(orders_db):
    assert names("postgresql", "password") == []


def test_completing_takes_two_statements(orders_db, django_assert_num_queries):
    with django_assert_num_queries(2):
        names("postgresql", "role", "a")


def test_every_predicate_is_offered_where_the_engine_answers_it():
    offered = {
        db_type: {one["name"] for one in shape["predicates"]} for db_type, shape in shapes().items()
    }
    assert offered["mysql"] == set(PREDICATES)
    assert set(PREDICATES) - offered["postgresql"] == {"host_matches"}
