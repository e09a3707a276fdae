"""`/notifications`: secrets go in and never come out, tests are sent, messages sent again."""

from __future__ import annotations

import pytest

from notify.models import Channel, Delivery, Rule
from tests.api.conftest import administrator, viewer  # noqa: F401 - fixtures
from tests.api.envelope import check_failed, check_ok, errors
from tests.notify import cast
from tests.notify.receivers import http_receiver

pytestmark = pytest.mark.django_db
CHANNELS = "/api/v1/notifications/channels"
RULES = "/api/v1/notifications/rules"
DELIVERIES = "/api/v1/notifications/deliveries"
ROBOT = {
    "name": "dba-team",
    "kind": "webhook",
    "url": f"https://hooks.example.org/{cast.TOKEN}",
    "secret": cast.SECRET,
}
MAIL = {
    "name": "mail",
    "kind": "email",
    "recipients": "dba@example.org",
    "sender": "whalefall@example.org",
    "host": "mail.example.org",
    "username": "whalefall",
    "secret": cast.MAIL_PASSWORD,
}


def one(url, made):
    return f"{url}/{made.pk}"


def test_no_answer_holds_an_address_or_a_secret(administrator):  # noqa: F811
    response = administrator.post(CHANNELS, ROBOT)
    data = check_ok(response, 201)
    assert (data["host"], data["has_secret"]) == ("hooks.example.org", True)
    listed = (
        administrator.get(CHANNELS).content + administrator.get(f"{CHANNELS}/{data['id']}").content
    )
    for secret in (cast.TOKEN, cast.SECRET):
        assert secret.encode() not in response.content + listed


def test_address_and_secret_are_encrypted_in_the_table(administrator):  # noqa: F811
    from django.db import connection

    administrator.post(CHANNELS, ROBOT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT url || secret FROM notification_channels")
        (stored,) = cursor.fetchone()
    assert cast.TOKEN not in stored
    assert cast.SECRET not in stored
    assert Channel.objects.get().secret == cast.SECRET


def test_a_change_without_them_keeps_what_is_stored(administrator):  # noqa: F811
    made = cast.channel()
    check_ok(administrator.patch(one(CHANNELS, made), {"digest_minutes": 30}))
    made.refresh_from_db()
    assert (made.digest_minutes, made.secret, made.url[-5:]) == (30, cast.SECRET, "robot")


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"url": "ftp://x/y"}, "url", "Give an address that begins with https:// and a host."),
        ({"url": ""}, "url", "Give an address that begins with https:// and a host."),
        ({"url": "https://a:b@x/"}, "url", "The address must hold no user name or password."),
        (
            {"secret": "short"},
            "secret",
            "A webhook is signed: give a secret of at least 16 characters.",
        ),
        ({"kind": "email", "url": ""}, "recipients", "An e-mail channel needs this."),
        ({"digest_minutes": 5000}, "digest_minutes", None),
        ({"kind": "pigeon"}, "kind", None),
        ({"url2": "x"}, "url2", None),
    ],
)
def test_what_cannot_be_used_is_refused(administrator, body, path, message):  # noqa: F811
    found = errors(administrator.post(CHANNELS, ROBOT | body))
    assert path in found
    assert message in (None, found[path])
    assert not Channel.objects.exists()


def test_a_stored_password_goes_to_no_other_mail_server(administrator):  # noqa: F811
    made = check_ok(administrator.post(CHANNELS, MAIL), 201)
    url = f"{CHANNELS}/{made['id']}"
    found = errors(administrator.patch(url, {"host": "evil.example.org"}))
    assert found["secret"].startswith("Give the password anew")
    check_ok(administrator.patch(url, {"host": "new.example.org", "secret": "typed-again-1"}))
    check_ok(administrator.patch(url, {"recipients": "ops@example.org"}))


@pytest.mark.usefixtures("loopback")
def test_a_test_is_sent_at_once_and_says_what_it_is(administrator):  # noqa: F811
    with http_receiver() as receiver:
        made = cast.channel(url=receiver.url)
        data = check_ok(administrator.post(one(CHANNELS, made) + "/actions/test"))
    assert (data["status"], data["is_test"], data["tries"]) == ("sent", True, 1)
    assert receiver.got[0].json["type"] == "whalefall.test"
    assert receiver.got[0].json["notices"][0]["text"] == "Sent by ada."


@pytest.mark.usefixtures("loopback")
def test_a_test_that_fails_says_why_and_is_not_repeated(administrator):  # noqa: F811
    with http_receiver(500) as receiver:
        made = cast.channel(url=receiver.url)
        response = administrator.post(one(CHANNELS, made) + "/actions/test")
    body = check_failed(response, 409, "TASK_EXECUTION_FAILED")
    assert body["message"] == "The receiver answered 500: said so"
    assert Delivery.objects.get().status == "failed"


def test_a_rule_names_its_channels_and_days(administrator):  # noqa: F811
    body = {"name": "stale", "kind": "instance_stale", "channels": [cast.channel().pk]}
    assert errors(administrator.post(RULES, body)) == {"days": "This rule needs a number of days."}
    data = check_ok(administrator.post(RULES, body | {"days": 2}), 201)
    assert (data["days"], data["risk_level"]) == (2, "high")
    assert errors(administrator.post(RULES, body | {"name": "x", "channels": []})).keys() == {
        "channels"
    }


def test_a_changed_rule_keeps_what_was_not_named(administrator):  # noqa: F811
    made = cast.rule("job_failed", cast.channel())
    data = check_ok(administrator.patch(one(RULES, made), {"is_active": False}))
    assert (data["is_active"], data["kind"]) == (False, "job_failed")
    assert len(data["channels"]) == 1
    check_ok(administrator.delete(one(RULES, made)))
    assert not Rule.objects.exists()


def test_deliveries_tell_what_became_of_them(viewer):  # noqa: F811
    made = cast.delivery(status="failed", last_error="The receiver answered 500: x", tries=9)
    cast.delivery(cast.channel(name="other"))
    (data,) = check_ok(viewer.get(DELIVERIES, {"status": "failed"}))["items"]
    assert (data["channel_name"], data["tries"], data["total"]) == ("dba-team", 9, 1)
    assert data["last_error"] == "The receiver answered 500: x"
    detail = check_ok(viewer.get(one(DELIVERIES, made)))
    assert detail["notices"][0]["kind"] == "job_failed"


def test_a_delivery_is_sent_again_unless_it_is_on_its_way(administrator):  # noqa: F811
    made = cast.delivery(status="failed", tries=9)
    url = one(DELIVERIES, made) + "/actions/resend"
    assert check_ok(administrator.post(url))["status"] == "waiting"
    check_failed(administrator.post(url), 409, "CONSTRAINT_VIOLATION")


def test_alerts_can_be_asked_for_by_rule(viewer):  # noqa: F811
    from django.utils import timezone

    from notify.models import Alert

    mine, other = (cast.rule("job_failed", cast.channel(name=n), name=n) for n in "ab")
    for rule in (mine, other):
        now = timezone.now()
        Alert.objects.create(rule=rule, key="task:x", found_at=now, told_at=now)
    (data,) = check_ok(viewer.get("/api/v1/notifications/alerts", {"rule": mine.pk}))["items"]
    assert (data["rule_name"], data["kind"]) == ("a", "job_failed")
