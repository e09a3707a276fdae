"""Plain text by SMTP. The Message-ID stays the same at every try, so that a repetition is known."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from notify import guard
from notify.deadline import Deadline
from notify.formats.base import Message, NotSent, shown

RETRIED = range(400, 500)
LONGEST = 3
"""The whole conversation, as a multiple of the timeout of one answer."""


def send(channel: Any, message: Message) -> str:
    """Deliver; the recipients that the server refused, as a remark. Raises NotSent."""
    place = guard.place(channel.host, channel.port)
    mail = compose(channel, message)
    try:
        with (
            _connected(channel, place) as server,
            Deadline(LONGEST * settings.NOTIFY_TIMEOUT, lambda: server.sock),
        ):
            if channel.username:
                server.login(channel.username, str(channel.secret))
            refused = server.send_message(mail, to_addrs=channel.addresses)
    except smtplib.SMTPRecipientsRefused as exc:
        codes = [code for code, _text in exc.recipients.values()]
        text = _("The mail server refused every recipient: %(names)s.")
        names = ", ".join(sorted(exc.recipients))
        for_good = not any(code in RETRIED for code in codes)
        raise NotSent(text % {"names": names}, for_good=for_good) from exc
    except smtplib.SMTPResponseException as exc:
        raise _refused(exc) from exc
    except smtplib.SMTPException as exc:
        text = _("The mail server cannot be used: %(why)s.")
        raise NotSent(text % {"why": shown(str(exc).encode())}) from exc
    except OSError as exc:
        text = _("The mail server %(host)s cannot be reached: %(why)s.")
        why = exc.strerror or type(exc).__name__
        raise NotSent(text % {"host": channel.host, "why": why}) from exc
    if not refused:
        return ""
    return _("The mail server refused: %(names)s.") % {"names": ", ".join(sorted(refused))}


def _refused(exc: smtplib.SMTPResponseException) -> NotSent:
    """A wrong password is wrong the next time, too: it would only lead to a lockout."""
    said = exc.smtp_error if isinstance(exc.smtp_error, bytes) else exc.smtp_error.encode()
    text = _("The mail server answered %(code)d: %(said)s")
    message = text % {"code": exc.smtp_code, "said": shown(said)}
    return NotSent(message, for_good=exc.smtp_code not in RETRIED)


def _connected(channel: Any, place: guard.Place) -> smtplib.SMTP:
    context, seconds = ssl.create_default_context(), settings.NOTIFY_TIMEOUT
    if channel.security == channel.Security.TLS:
        return _PinnedTLS(place.ip, channel.host, channel.port, seconds, context)
    server = _Pinned(place.ip, channel.host, channel.port, seconds)
    if channel.security == channel.Security.STARTTLS:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    elif not place.is_ours:
        server.close()
        message = _("Only encrypted mail is allowed to hosts on the internet.")
        raise NotSent(message, for_good=True)
    return server


class _Pinned(smtplib.SMTP):
    """Connects to the address that was looked at, and knows the server by its name."""

    def __init__(self, ip: str, host: str, port: int, seconds: float) -> None:
        self.ip = ip
        super().__init__(host, port, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self.ip, port), timeout)


class _PinnedTLS(_Pinned):
    def __init__(
        self, ip: str, host: str, port: int, seconds: float, context: ssl.SSLContext
    ) -> None:
        self.context = context
        super().__init__(ip, host, port, seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line = super()._get_socket(host, port, timeout)
        return self.context.wrap_socket(line, server_hostname=host)


def compose(channel: Any, message: Message) -> EmailMessage:
    mail = EmailMessage()
    # A name of a watched server must not begin another header.
    mail["Subject"] = " ".join(f"[WhaleFall] {message.title}".split())
    mail["From"], mail["To"] = channel.sender, ", ".join(channel.addresses)
    mail["Date"] = format_datetime(message.now)
    mail["Message-ID"] = f"<{message.id}@{channel.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n\n".join([message.title, *_paragraphs(message)]) + "\n")
    return mail


def _paragraphs(message: Message) -> list[str]:
    found = [
        "\n".join(filter(None, (f"* {notice.title}", f"  {notice.text}", notice.url)))
        for notice in message.notices
    ]
    if message.left_out:
        found.append(_("… and %(n)d more.") % {"n": message.left_out})
    return found
