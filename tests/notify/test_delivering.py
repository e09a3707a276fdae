"""A message that is due goes out, is tried again where that may help, and never gets lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from notify import deliver
from notify.models import Delivery
from tests.notify import cast
from tests.notify.receivers import http_receiver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


def tried(receiver_answers, **fields):
    """One try against a receiver that answers so: the delivery, and what the receiver got."""
    with http_receiver(*receiver_answers) as receiver:
        made = cast.delivery(cast.channel(url=receiver.url), **fields)
        deliver.deliver(made.pk)
    made.refresh_from_db()
    return made, receiver.got


def minutes_until(moment):
    return round((moment - timezone.now()).total_seconds() / 60)


def test_what_the_receiver_takes_is_sent():
    made, got = tried([200])
    assert (made.status, made.tries, made.last_error, len(got)) == ("sent", 1, "", 1)
    assert made.ended_at is not None


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_receiver_in_trouble_is_tried_again_later(status):
    made, _got = tried([status])
    assert (made.status, made.tries) == ("waiting", 1)
    assert made.last_error == f"The receiver answered {status}: said so"
    assert minutes_until(made.next_try_at) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_what_is_wrong_stays_wrong_and_is_not_tried_again(status):
    made, got = tried([(status, {"Location": "http://127.0.0.1:1/"}, b"no")])
    assert (made.status, len(got)) == ("failed", 1)
    assert made.last_error == f"The receiver answered {status}: no"


def test_a_receiver_that_asks_to_wait_is_left_in_peace():
    made, _got = tried([(429, {"Retry-After": "1800"}, b"")])
    assert minutes_until(made.next_try_at) == 30


def test_a_receiver_that_is_down_is_tried_again_later():
    with http_receiver() as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
    deliver.deliver(made.pk)
    made.refresh_from_db()
    assert made.status == "waiting"
    assert made.last_error == "127.0.0.1 cannot be reached: Connection refused."


@pytest.mark.parametrize("manner", ["silent", "slow"])
def test_a_receiver_that_does_not_get_to_an_end_is_cut_off(manner):
    made, _got = tried([manner])
    assert (made.status, made.last_error) == ("waiting", "127.0.0.1 did not answer in time.")


def test_500_and_then_200_is_one_message_with_one_id():
    with http_receiver(500, 200) as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        deliver.deliver(made.pk)
        Delivery.objects.update(next_try_at=timezone.now())
        assert deliver.deliver(made.pk) == "sent"
    made.refresh_from_db()
    assert made.tries == 2
    assert {each.headers["webhook-id"] for each in receiver.got} == {str(made.message_id)}


def test_the_pauses_grow_until_it_is_given_up():
    pauses = []
    with http_receiver(500) as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        for _number in range(9):
            deliver.deliver(made.pk)
            made.refresh_from_db()
            pauses.append(minutes_until(made.next_try_at))
            Delivery.objects.update(next_try_at=timezone.now())
    assert pauses[:8] == [1, 2, 5, 15, 30, 60, 120, 240]
    assert (made.status, made.tries) == ("failed", 9)
    assert deliver.deliver(made.pk) is None


def test_a_task_that_is_delivered_twice_sends_once():
    with http_receiver() as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        assert [deliver.deliver(made.pk), deliver.deliver(made.pk)] == ["sent", None]
    assert len(receiver.got) == 1


def test_a_worker_that_died_while_sending_leaves_the_message_to_the_next():
    with http_receiver() as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        Delivery.objects.claim(made.pk, timedelta(seconds=-1))  # and then kill -9
        assert deliver.deliver(made.pk) is None
        assert deliver.queue_due() == 1
        assert deliver.deliver(made.pk) == "sent"
    assert len(receiver.got) == 1


def test_a_worker_that_comes_back_too_late_changes_nothing():
    made = cast.delivery()
    late = Delivery.objects.claim(made.pk, timedelta(seconds=-1))
    deliver.queue_due()
    assert late.sent() is False
    assert Delivery.objects.get().status == "waiting"


def test_what_is_due_is_queued_once_and_by_its_key_alone():
    cast.delivery(cast.channel(), next_try_at=timezone.now() + timedelta(minutes=1))
    due = cast.delivery(cast.channel(name="other"))
    assert [deliver.queue_due(), deliver.queue_due()] == [1, 0]
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("notify.tasks.deliver", (due.pk,))


def test_a_task_that_got_lost_is_queued_again():
    cast.delivery(queued_at=timezone.now() - timedelta(minutes=11))
    assert deliver.queue_due() == 1


def test_a_paused_channel_keeps_its_messages():
    cast.delivery(cast.channel(is_active=False))
    assert deliver.queue_due() == 0


def test_one_that_was_given_up_can_be_sent_again():
    made, _got = tried([404])
    assert made.resend() is True
    made.refresh_from_db()
    assert (made.status, made.tries, made.ended_at) == ("waiting", 0, None)
    assert made.resend() is False


def test_the_address_with_its_token_is_in_no_error(settings):
    settings.NOTIFY_NETWORKS = []
    for answers in ([500], [404], ["silent"]):
        made, _got = tried(answers)
        assert cast.TOKEN not in made.last_error
        made.channel.delete()


def test_a_fault_of_ours_is_told_and_tried_again(monkeypatch):
    monkeypatch.setattr("notify.formats.webhook.request", lambda channel, message: 1 / 0)
    made, _got = tried([200])
    assert (made.status, made.last_error) == ("waiting", "ZeroDivisionError")


def test_https_is_checked_against_the_authorities_that_this_machine_trusts(authority):
    with http_receiver(tls=authority) as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        assert deliver.deliver(made.pk) == "sent"
    assert len(receiver.got) == 1


def test_a_certificate_that_nobody_vouches_for_gets_nothing(certificates):
    with http_receiver(tls=certificates) as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        assert deliver.deliver(made.pk) == "waiting"
    made.refresh_from_db()
    assert made.last_error.startswith("The certificate of 127.0.0.1 is not valid: ")
    assert receiver.got == []
