"""Passwords go in and never come out."""

from tests.admin import fleet
from whalefall.instances.models import Credential

FORM = {"name": "collector", "db_type": "", "username": "whalefall", "is_active": "on"}


def page_of(client, credential):
    return client.get(f"/admin/instances/credential/{credential.pk}/change/").content.decode()


def save(client, credential, **values):
    url = f"/admin/instances/credential/{credential.pk}/change/"
    return client.post(url, FORM | values)


def test_the_form_never_shows_the_password(administrator):
    assert fleet.SECRET not in page_of(administrator, fleet.credential())


def test_a_viewer_never_sees_the_password(viewer):
    page = page_of(viewer, fleet.credential())
    assert "whalefall" in page
    assert fleet.SECRET not in page


def test_an_empty_password_keeps_the_old_one(administrator):
    credential = fleet.credential()
    assert save(administrator, credential, password="", description="new").status_code == 302
    credential.refresh_from_db()
    assert (credential.password, credential.description) == (fleet.SECRET, "new")


def test_a_new_password_replaces_the_old_one(administrator):
    credential = fleet.credential()
    save(administrator, credential, password=" other ")
    credential.refresh_from_db()
    assert credential.password == " other "


def test_a_rejected_form_does_not_repeat_the_password(administrator):
    response = save(administrator, fleet.credential(), name="", password="typed-in-vain")
    assert response.status_code == 200
    assert "typed-in-vain" not in response.content.decode()


def test_a_new_credential_needs_a_password(administrator):
    response = administrator.post("/admin/instances/credential/add/", FORM)
    assert "A new credential needs a password." in response.content.decode()
    assert not Credential.objects.exists()


def test_the_history_tells_what_was_changed_but_not_to_what(administrator):
    credential = fleet.credential()
    save(administrator, credential, password="brand-new")
    url = f"/admin/instances/credential/{credential.pk}/history/"
    page = administrator.get(url).content.decode()
    assert "Password" in page
    assert "brand-new" not in page
