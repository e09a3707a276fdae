"""Who gets in."""

from axes.models import AccessAttempt

from tests.admin.conftest import person
from whalefall.models import User

PASSWORD = "correct horse battery"


def log_in(client, username):
    return client.post(
        "/admin/login/?next=/admin/",
        {"username": username, "password": PASSWORD},
        follow=True,
    )


def test_the_root_leads_to_the_console(client):
    assert client.get("/").url == "/admin/"


def test_the_login_page_opens_for_strangers(client):
    assert client.get("/admin/", follow=True).status_code == 200


def test_somebody_with_a_role_gets_in(client, db):
    person("viewer", PASSWORD)
    assert log_in(client, "viewer").request["PATH_INFO"] == "/admin/"


def test_somebody_without_a_role_is_told_to_ask_for_one(client, db):
    person("", PASSWORD)
    assert "Ask an administrator" in log_in(client, "nobody").content.decode()


def test_the_staff_flag_alone_opens_nothing(client, db):
    user = person("")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    assert client.get("/admin/").status_code == 302


def test_people_and_logs_are_not_in_the_menu_of_a_viewer(viewer):
    page = viewer.get("/admin/").content.decode()
    assert "/admin/instances/instance/" in page
    assert "/admin/whalefall/user/" not in page


def test_too_many_wrong_passwords_show_a_page_that_says_how_long(client, db, settings):
    settings.AXES_FAILURE_LIMIT = 2
    person("viewer", PASSWORD)
    form = {"username": "viewer", "password": "wrong"}
    client.post("/admin/login/", form)
    response = client.post("/admin/login/", form)
    assert response.status_code == 429
    assert "Try again in 15 minutes." in response.content.decode()


def test_an_administrator_lifts_a_lockout(client, administrator, settings):
    settings.AXES_FAILURE_LIMIT = 1
    person("viewer", PASSWORD)
    client.post("/admin/login/", {"username": "viewer", "password": "wrong"})
    assert log_in(client, "viewer").status_code == 429
    attempt = AccessAttempt.objects.get()
    administrator.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"})
    assert log_in(client, "viewer").request["PATH_INFO"] == "/admin/"
