"""E-mail by a real mail server of the tests."""

from __future__ import annotations

import pytest

from notify import deliver
from tests.notify import cast
from tests.notify.receivers import mail_receiver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


def tried(receiver, notices=None, **fields):
    to = cast.channel("email", port=receiver.port, **fields)
    made = cast.delivery(to, notices=notices or [cast.notice()])
    deliver.deliver(made.pk)
    made.refresh_from_db()
    return made


def test_a_mail_arrives_with_what_is_to_be_told():
    with mail_receiver() as receiver:
        made = tried(receiver, recipients="dba@example.org, ops@example.org")
    (mail,) = receiver.mails
    assert (made.status, mail["Subject"]) == ("sent", "[WhaleFall] Job job_1 failed")
    assert receiver.recipients == [["dba@example.org", "ops@example.org"]]
    assert mail["Message-ID"] == f"<{made.message_id}@example.org>"
    assert "out of disk" in mail.get_payload()


def test_it_logs_in_with_the_stored_password_over_tls(authority):
    with mail_receiver(password=cast.MAIL_PASSWORD, tls=authority) as receiver:
        made = tried(receiver, security="starttls", username="whalefall", secret=cast.MAIL_PASSWORD)
    assert (made.status, made.last_error, len(receiver.mails)) == ("sent", "", 1)


def test_a_wrong_password_is_not_tried_again(authority):
    with mail_receiver(password="another", tls=authority) as receiver:
        made = tried(receiver, security="starttls", username="whalefall", secret=cast.MAIL_PASSWORD)
    assert made.status == "failed"
    assert made.last_error.startswith("The mail server answered 535: ")
    assert cast.MAIL_PASSWORD not in made.last_error


def test_a_server_that_nobody_vouches_for_gets_no_password(certificates):
    with mail_receiver(password=cast.MAIL_PASSWORD, tls=certificates) as receiver:
        made = tried(receiver, security="starttls", username="whalefall", secret=cast.MAIL_PASSWORD)
    assert (made.status, receiver.mails) == ("waiting", [])
    assert "certificate" in made.last_error.lower()


def test_a_server_that_is_busy_is_tried_again():
    with mail_receiver("451 greylisted") as receiver:
        made = tried(receiver)
    assert (made.status, made.last_error) == (
        "waiting",
        "The mail server answered 451: greylisted",
    )


def test_a_server_that_is_down_is_tried_again():
    with mail_receiver() as receiver:
        port = receiver.port
    made = cast.delivery(cast.channel("email", port=port))
    deliver.deliver(made.pk)
    made.refresh_from_db()
    assert made.status == "waiting"
    assert made.last_error == "The mail server 127.0.0.1 cannot be reached: Connection refused."


def test_one_unknown_recipient_does_not_keep_it_from_the_others():
    with mail_receiver(refused=("gone@example.org",)) as receiver:
        made = tried(receiver, recipients="gone@example.org, dba@example.org")
    assert made.status == "sent"
    assert made.last_error == "The mail server refused: gone@example.org."
    assert receiver.recipients == [["dba@example.org"]]


def test_only_unknown_recipients_are_a_failure():
    with mail_receiver(refused=("dba@example.org",)) as receiver:
        made = tried(receiver)
    assert made.status == "failed"
    assert made.last_error == "The mail server refused every recipient: dba@example.org."


def test_a_name_with_a_line_break_begins_no_header():
    with mail_receiver() as receiver:
        tried(receiver, [cast.notice(job="x\r\nBcc: evil@example.org")])
    (mail,) = receiver.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[WhaleFall] Job x Bcc: evil@example.org failed"


def test_starttls_is_never_left_out():
    with mail_receiver() as receiver:  # it offers none
        made = tried(receiver, security="starttls")
    assert (made.status, receiver.mails) == ("waiting", [])
    assert "STARTTLS" in made.last_error
