"""People, their roles, and the last administrator."""

import pytest

from tests.admin.conftest import person
from whalefall.auth import role_of
from whalefall.models import AuditEntry, User

PEOPLE = "/admin/whalefall/user/"


def save(client, user, **values):
    form = {"username": user.username, "is_active": "on", "role": ""}
    return client.post(f"{PEOPLE}{user.pk}/change/", form | values, follow=True)


def test_an_administrator_gives_a_role(administrator):
    user = person("")
    save(administrator, user, role="operator")
    assert role_of(User.objects.get(pk=user.pk)) == "operator"


def test_a_new_role_takes_the_place_of_the_old_one(administrator):
    user = person("operator")
    save(administrator, user, role="viewer")
    assert [group.name for group in user.groups.all()] == ["viewer"]


def test_the_last_administrator_keeps_the_role(administrator):
    last = User.objects.get(username="administrator")
    page = save(administrator, last, role="viewer").content.decode()
    assert "Nobody would be an administrator any more." in page
    assert role_of(User.objects.get(pk=last.pk)) == "administrator"


def test_the_last_administrator_is_not_deleted(administrator):
    last = User.objects.get(username="administrator")
    response = administrator.post(f"{PEOPLE}{last.pk}/delete/", {"post": "yes"})
    assert response.status_code == 403


def test_a_new_person_is_added_without_a_role(administrator):
    form = {
        "username": "newcomer",
        "usable_password": "true",
        "password1": "orca-swims-deep-7",
        "password2": "orca-swims-deep-7",
    }
    assert administrator.post(f"{PEOPLE}add/", form).status_code == 302
    assert role_of(User.objects.get(username="newcomer")) is None


def test_no_part_of_a_password_hash_is_shown(administrator):
    user = person("viewer", "orca-swims-deep-7")
    page = administrator.get(f"{PEOPLE}{user.pk}/change/").content.decode()
    assert "argon2" not in page
    assert "Set another password" in page


def test_it_says_how_a_person_signs_in(administrator):
    vera = person("viewer", "orca-swims-deep-7")
    page = f"{PEOPLE}{vera.pk}/change/"
    assert "a password of WhaleFall&#x27;s own" in administrator.get(page).content.decode()
    vera.set_unusable_password()
    vera.save()
    assert "nothing yet: the first sign-in" in administrator.get(page).content.decode()
    vera.identities.create(source="oidc", subject="https://id.example|42")
    shown = administrator.get(page).content.decode()
    assert "single sign-on, since" in shown
    assert "https://id.example|42" in shown


@pytest.mark.parametrize("path", ["", "add/"])
def test_operators_do_not_see_people(operator, path):
    assert operator.get(PEOPLE + path).status_code == 403


def test_what_people_do_is_in_the_audit_log(administrator):
    user = person("")
    save(administrator, user, first_name="Li")
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.action, entry.object_name) == (
        "administrator",
        "change",
        "nobody",
    )
    assert entry.details == {"changes": ["Changed First name."]}
    assert "nobody" in administrator.get("/admin/whalefall/auditentry/").content.decode()
