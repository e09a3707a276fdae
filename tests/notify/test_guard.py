"""Messages go to the internet and to the private networks that the settings name, nowhere else."""

from __future__ import annotations

import socket

import pytest

from notify import deliver, guard
from notify.formats.base import NotSent
from tests.notify import cast
from tests.notify.receivers import http_receiver, mail_receiver

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:10.1.2.3",
    "64:ff9b::a01:203",
    "2002:a01:203::1",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]


@pytest.mark.parametrize("ip", PRIVATE)
def test_a_private_address_is_refused_however_it_is_written(ip):
    with pytest.raises(NotSent, match="WHALEFALL_NOTIFY_NETWORKS names") as refused:
        guard.place(ip, 443)
    assert refused.value.for_good


@pytest.mark.parametrize("ip", PUBLIC)
def test_an_address_of_the_internet_is_taken(ip):
    assert guard.place(ip, 443) == guard.Place(ip, False)


@pytest.mark.parametrize("ip", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_a_network_that_the_settings_name_is_taken(settings, ip):
    settings.NOTIFY_NETWORKS = ["10.0.0.0/8"]
    assert guard.place(ip, 443).is_ours
    with pytest.raises(NotSent):
        guard.place("192.168.1.1", 443)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost"])
def test_other_spellings_of_this_machine_are_refused(host):
    with pytest.raises(NotSent):
        guard.place(host, 80)


def test_a_name_that_leads_inside_is_refused(monkeypatch):
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: inside)
    with pytest.raises(NotSent, match=r"hooks.example.org has an address .* \(10.1.2.3\)"):
        guard.place("hooks.example.org", 443)


@pytest.mark.django_db
def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch, settings):
    """A name that answers differently the second time gains nothing: it is asked once."""
    settings.NOTIFY_NETWORKS = ["127.0.0.0/8"]
    asked = []

    def resolve(host, port, **options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with http_receiver() as receiver:
        monkeypatch.setattr(guard.socket, "getaddrinfo", resolve)
        url = f"http://rebinding.example.org:{receiver.port}/hook"
        made = cast.delivery(cast.channel(url=url))
        real = socket.create_connection
        monkeypatch.setattr(socket, "create_connection", lambda to, *a: pinned(real, to))
        assert deliver.deliver(made.pk) == "sent"
    assert asked == ["rebinding.example.org"]
    assert receiver.got[0].headers["host"] == f"rebinding.example.org:{receiver.port}"


def pinned(real, to):
    """The real connect resolves nothing: it was given an address."""
    assert to[0] == "127.0.0.1"
    line = socket.socket()
    line.settimeout(5)
    line.connect(to)
    return line


@pytest.mark.django_db
def test_a_message_to_a_private_network_is_given_up_without_a_try():
    with http_receiver() as receiver:
        made = cast.delivery(cast.channel(url=receiver.url))
        assert deliver.deliver(made.pk) == "failed"
    assert receiver.got == []


@pytest.mark.django_db
def test_a_mail_server_in_a_private_network_is_refused_alike():
    with mail_receiver() as receiver:
        made = cast.delivery(cast.channel("email", port=receiver.port))
        assert deliver.deliver(made.pk) == "failed"
    assert receiver.mails == []
