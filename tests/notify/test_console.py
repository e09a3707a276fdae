"""The pages of channels and deliveries."""

from __future__ import annotations

import pytest

from notify.models import Channel
from tests.admin.conftest import administrator, viewer  # noqa: F401 - fixtures
from tests.notify import cast
from tests.notify.receivers import http_receiver

pytestmark = pytest.mark.django_db
ADD = "/admin/notify/channel/add/"
FORM = {
    "name": "dba-team",
    "kind": "dingtalk",
    "is_active": "on",
    "language": "en",
    "digest_minutes": "0",
    "url": f"https://oapi.example.org/robot?access_token={cast.TOKEN}",
    "secret": cast.SECRET,
    "port": "587",
    "security": "starttls",
}


def page(made):
    return f"/admin/notify/channel/{made.pk}/change/"


def test_a_channel_is_made_and_its_secrets_are_never_shown(administrator):  # noqa: F811
    assert administrator.post(ADD, FORM).status_code == 302
    made = Channel.objects.get()
    assert (made.host, made.secret) == ("oapi.example.org", cast.SECRET)
    for url in (page(made), "/admin/notify/channel/"):
        text = administrator.get(url).content.decode()
        assert cast.TOKEN not in text
        assert cast.SECRET not in text


def test_empty_secrets_keep_the_stored_ones(administrator):  # noqa: F811
    made = cast.channel("dingtalk")
    form = FORM | {"name": "renamed", "url": "", "secret": ""}
    assert administrator.post(page(made), form).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.secret, made.host) == ("renamed", cast.SECRET, "hooks.example.org")


def test_what_is_missing_is_said_at_its_field(administrator):  # noqa: F811
    response = administrator.post(ADD, FORM | {"url": ""})
    assert response.context["adminform"].form.errors == {
        "url": ["Give an address that begins with https:// and a host."]
    }


def test_a_stored_password_goes_to_no_other_mail_server(administrator):  # noqa: F811
    made = cast.channel("email", host="mail.example.org", username="w", secret="stored-one-7")
    form = FORM | {
        "kind": "email", "recipients": made.recipients, "sender": made.sender, "username": "w",
        "host": "evil.example.org", "security": "none", "url": "", "secret": "",
    }  # fmt: skip
    response = administrator.post(page(made), form)
    assert "secret" in response.context["adminform"].form.errors


def test_a_viewer_sees_no_field_of_a_secret(viewer):  # noqa: F811
    text = viewer.get(page(cast.channel())).content.decode()
    assert "hooks.example.org" in text
    assert cast.TOKEN not in text
    assert cast.SECRET not in text


@pytest.mark.usefixtures("loopback")
def test_a_test_is_sent_by_a_button(administrator):  # noqa: F811
    with http_receiver() as receiver:
        made = cast.channel("wecom", url=receiver.url, secret="")
        url = f"/admin/notify/channel/{made.pk}/send_test/"
        response = administrator.post(url, {"_form_submitted": "on"}, follow=True)
    assert [str(each) for each in response.context["messages"]] == ["Sent."]
    assert len(receiver.got) == 1


def test_a_delivery_is_sent_again_from_its_page(administrator):  # noqa: F811
    made = cast.delivery(status="failed", tries=9)
    response = administrator.post(
        "/admin/notify/delivery/",
        {"action": "resend_selected", "confirmed": "yes", "_selected_action": [made.pk]},
    )
    assert response.status_code == 302
    made.refresh_from_db()
    assert made.status == "waiting"
