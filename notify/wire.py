"""One HTTP POST: to the address that the guard gave, without redirects, within a time limit that
covers all of it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from notify import guard
from notify.deadline import Deadline
from notify.formats.base import NotSent, Reply, Request

LARGEST_REPLY = 64 * 1024


def post(request: Request) -> Reply:
    """Raises NotSent for whatever keeps the request from being answered."""
    parts = urlsplit(request.url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    place = guard.place(host, port)
    if not secure and not place.is_ours:
        raise NotSent(_("Only https is allowed to hosts on the internet."), for_good=True)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    headers = {"Content-Type": "application/json; charset=utf-8", **request.headers}
    connection = _Pinned(host, port, place.ip, secure)
    with Deadline(settings.NOTIFY_TIMEOUT, lambda: connection.sock) as deadline:
        try:
            connection.request("POST", path, request.body, headers)
            response = connection.getresponse()
            body = response.read(LARGEST_REPLY)
            if deadline.is_over:  # half of an answer, cut off between two headers, reads as a whole
                raise TimeoutError
        except (OSError, http.client.HTTPException) as exc:
            raise NotSent(_broken(host, exc, deadline.is_over)) from exc
        finally:
            connection.close()
    return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, body)


def _broken(host: str, exc: Exception, too_late: bool) -> str:
    """Without the path of the address, which is as good as a password."""
    if too_late or isinstance(exc, TimeoutError):
        return _("%(host)s did not answer in time.") % {"host": host}
    if isinstance(exc, ssl.SSLCertVerificationError):
        message = _("The certificate of %(host)s is not valid: %(why)s.")
        return message % {"host": host, "why": exc.verify_message}
    return _("%(host)s cannot be reached: %(why)s.") % {
        "host": host,
        "why": getattr(exc, "strerror", None) or type(exc).__name__,
    }


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was looked at, and knows the server by its name."""

    def __init__(self, host: str, port: int, ip: str, secure: bool) -> None:
        super().__init__(host, port, timeout=settings.NOTIFY_TIMEOUT)
        self.ip, self.secure = ip, secure
        self.default_port = 443 if secure else 80  # the Host header names any other

    def connect(self) -> None:
        self.sock = socket.create_connection((self.ip, self.port), self.timeout)
        if self.secure:
            context = ssl.create_default_context()
            # The handshake apart, so that the deadline can cut it as well.
            self.sock = context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()
