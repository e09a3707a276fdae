"""The people of this system."""

from __future__ import annotations

import pytest

from tests.api.conftest import PASSWORD, client_of, person
from tests.api.envelope import check_failed, check_ok, errors
from whalefall.auth import role_of
from whalefall.models import User

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users"
NEW = {"username": "newcomer", "password": "a-whale-of-a-word-9", "role": "operator"}


def me(client) -> int:
    return check_ok(client.get("/api/v1/auth/me"))["id"]


def test_a_new_person_can_log_in_with_the_role_given(administrator):
    data = check_ok(administrator.post(USERS, NEW), 201)
    assert (data["username"], data["role"], data["is_active"]) == ("newcomer", "operator", True)
    body = {"username": "newcomer", "password": NEW["password"]}
    assert check_ok(client_of().post("/api/v1/auth/login", body))["role"] == "operator"


def test_no_answer_holds_a_password(administrator):
    answers = [administrator.post(USERS, NEW), administrator.get(USERS)]
    for answer in answers:
        assert NEW["password"] not in answer.content.decode()
        assert "password" not in answer.content.decode()


@pytest.mark.parametrize("name", ["newcomer", "NewComer"])
def test_a_name_is_taken_once_whatever_its_case(administrator, name):
    check_ok(administrator.post(USERS, NEW), 201)
    body = check_failed(administrator.post(USERS, NEW | {"username": name}), 409, "USERNAME_EXISTS")
    assert body["message"] == f"There is a person called {name} already."


def test_a_weak_password_is_refused(administrator):
    found = administrator.post(USERS, NEW | {"password": "12345"})
    assert list(errors(found, 400, "PASSWORD_INVALID")) == ["password"]
    assert not User.objects.filter(username="newcomer").exists()


def test_an_unknown_role_names_the_choices(administrator):
    found = errors(administrator.post(USERS, NEW | {"role": "king"}))
    message = "Unknown: king. Must be one of: viewer, operator, administrator."
    assert found == {"role": message}


def test_nobody_becomes_a_superuser_by_request(administrator):
    check_ok(administrator.post(USERS, NEW | {"is_superuser": True}), 201)
    assert not User.objects.get(username="newcomer").is_superuser


def test_a_change_keeps_what_it_does_not_name(administrator):
    vera = person("vera", "viewer")
    check_ok(administrator.put(f"{USERS}/{vera.pk}", {"username": "vera", "email": "v@x.example"}))
    vera = User.objects.get(pk=vera.pk)
    assert (vera.email, role_of(vera), vera.check_password(PASSWORD)) == (
        "v@x.example",
        "viewer",
        True,
    )


def test_a_role_takes_the_place_of_the_old_one_and_null_takes_it_away(administrator):
    vera = person("vera", "viewer")
    url = f"{USERS}/{vera.pk}"
    assert check_ok(administrator.put(url, {"username": "vera", "role": "operator"}))["role"] == (
        "operator"
    )
    assert check_ok(administrator.put(url, {"username": "vera", "role": None}))["role"] is None
    assert not vera.groups.exists()


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"role": None}, {"is_active": False}])
def test_the_last_administrator_stays_one(administrator, change):
    url = f"{USERS}/{me(administrator)}"
    body = check_failed(
        administrator.put(url, {"username": "ada"} | change), 400, "LAST_ADMIN_REQUIRED"
    )
    assert body["message"] == "Nobody would be an administrator any more."
    assert role_of(User.objects.get(username="ada")) == "administrator"


def test_the_last_administrator_is_not_deleted(administrator):
    person("dina", "administrator", is_active=False)
    url = f"{USERS}/{me(administrator)}"
    check_failed(administrator.delete(url), 400, "LAST_ADMIN_REQUIRED")


def test_nobody_deletes_themselves(administrator):
    person("amy", "administrator")
    check_failed(administrator.delete(f"{USERS}/{me(administrator)}"), 409, "CONSTRAINT_VIOLATION")


def test_others_are_deleted_and_cannot_come_in(administrator):
    amy = person("amy", "administrator")
    theirs = client_of(amy)
    check_ok(administrator.delete(f"{USERS}/{amy.pk}"))
    check_failed(theirs.get("/api/v1/auth/me"), 401, "AUTHENTICATION_REQUIRED")


def test_a_new_password_ends_the_sessions_of_that_person(administrator):
    vera = person("vera", "viewer")
    theirs = client_of(vera)
    body = {"username": "vera", "password": "a-whale-of-a-word-9"}
    check_ok(administrator.put(f"{USERS}/{vera.pk}", body))
    check_failed(theirs.get("/api/v1/auth/me"), 401, "AUTHENTICATION_REQUIRED")


@pytest.fixture
def crew(administrator):
    person("vera", "viewer")
    person("otto", "operator")
    person("rita", is_active=False)
    person("root", is_superuser=True)
    return administrator


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["ada", "otto", "rita", "root", "vera"]),
        ("role=administrator", ["ada", "root"]),
        ("role=viewer", ["vera"]),
        ("role=none", ["rita"]),
        ("is_active=false", ["rita"]),
        ("search=OTT", ["otto"]),
    ],
)
def test_the_list_is_narrowed(crew, query, names):
    found = check_ok(crew.get(f"{USERS}?{query}"))["items"]
    assert [user["username"] for user in found] == names


def test_they_are_counted(crew):
    assert check_ok(crew.get(f"{USERS}/stats")) == {
        "total": 5,
        "active": 4,
        "inactive": 1,
        "never_logged_in": 4,
        "roles": {"viewer": 1, "operator": 1, "administrator": 2, "none": 1},
    }


def test_many_people_take_no_more_queries(crew, django_assert_num_queries):
    crew.get(USERS)
    with django_assert_num_queries(6):
        crew.get(f"{USERS}?limit=5")
    for number in range(20):
        person(f"extra{number}", "viewer")
    with django_assert_num_queries(6):
        crew.get(f"{USERS}?limit=200")
