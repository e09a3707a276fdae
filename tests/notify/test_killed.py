"""Real workers, killed with SIGKILL while they deliver: nothing is lost, and a receiver sees a
message twice only where its worker died after sending it, under the same id.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from notify import deliver
from notify.models import Delivery
from tests.notify import cast
from tests.notify.receivers import http_receiver
from tests.servers.base import wait_until
from tests.sync.cluster import cluster, workshop

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
LOOPBACK = {"WHALEFALL_NOTIFY_NETWORKS": "127.0.0.0/8"}
KILLS, SEED = 5, 20_261_122
MANY = 200  # before each kill: more than workers send until then
MESSAGES = KILLS * MANY


def states():
    return Counter(Delivery.objects.values_list("status", flat=True))


def time_goes_by():
    """Leases of the dead run out, and what was queued in vain is queued again."""
    long_ago = timezone.now() - timedelta(hours=1)
    Delivery.objects.filter(status="sending").update(lease_until=long_ago)
    Delivery.objects.filter(status="waiting").update(queued_at=None)
    OrmQ.objects.all().delete()
    return deliver.queue_due()


def test_a_message_whose_worker_dies_while_the_receiver_reads_it_comes_again():
    with http_receiver("silent", 200) as receiver:
        cast.delivery(cast.channel(url=receiver.url))
        with cluster(**LOOPBACK):
            deliver.queue_due()
            wait_until(lambda: receiver.got, "the first try", 60)
        assert states() == {"sending": 1}
        assert deliver.queue_due() == 0  # its worker may yet live
        assert time_goes_by() == 1
        with cluster(**LOOPBACK):
            wait_until(lambda: states() == {"sent": 1}, "the second try", 60)
    assert time_goes_by() == 0
    first, second = (got.headers["webhook-id"] for got in receiver.got)
    assert first == second == str(Delivery.objects.get().message_id)


def test_workers_killed_again_and_again_lose_nothing_and_repeat_only_what_they_held(monkeypatch):
    monkeypatch.setenv(*next(iter(LOOPBACK.items())))
    dice = random.Random(SEED)
    with http_receiver(200) as receiver, workshop() as made:
        channel = cast.channel(url=receiver.url)
        for _kill in range(KILLS):
            for _number in range(MANY):
                cast.delivery(channel)
            time_goes_by()
            before = len(receiver.got)
            with made.cluster():
                wait_until(lambda start=before: len(receiver.got) > start, "a message", 60)
                time.sleep(dice.random() / 10)
        assert states()["sent"] < MESSAGES  # they were killed in the midst of it
        time_goes_by()
        with made.cluster():
            wait_until(lambda: states() == {"sent": MESSAGES}, "the rest", 60)
    seen = Counter(got.headers["webhook-id"] for got in receiver.got)
    tries = {str(sent.message_id): sent.tries for sent in Delivery.objects.all()}
    assert set(seen) == set(tries)
    assert [name for name, times in seen.items() if times > tries[name]] == []
    assert len(receiver.got) - MESSAGES <= KILLS * 2  # as many as were in the hands of a worker
