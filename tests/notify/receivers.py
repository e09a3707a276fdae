"""Receivers of messages on the loopback: an HTTP server that answers as it is told, and a mail
server.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.servers.base import free_port


@dataclass
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpReceiver:
    """Answers with the next of `answers`, then with the last of them for ever.

    An answer is a status, or (status, headers, body); `"slow"` sends a byte of its answer now and
    then and never ends, `"silent"` nothing.
    """

    answers: list[Any] = field(default_factory=lambda: [(200, {}, b'{"errcode":0,"code":0}')])
    got: list[Got] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook/t0ken-of-the-robot"

    def next_answer(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Handler(BaseHTTPRequestHandler):
    receiver: HttpReceiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.receiver.got.append(Got(self.path, headers, self.rfile.read(length)))
        answer = self.receiver.next_answer()
        if answer == "silent":
            self.receiver.ended.wait(20)
        elif answer == "slow":
            self._drip()
        else:
            self._answer(*(answer if isinstance(answer, tuple) else (answer, {}, b"said so")))

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.receiver.ended.is_set():
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:  # the sender has had enough
            return

    def log_message(self, *args: Any) -> None:
        """Nothing on stderr."""


def tls_context(folder: Path) -> ssl.SSLContext:
    """With the certificate for 127.0.0.1 that `write_certificates` left there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


@contextmanager
def http_receiver(*answers: Any, tls: Path | None = None) -> Iterator[HttpReceiver]:
    receiver = HttpReceiver(list(answers)) if answers else HttpReceiver()
    handler = type("Bound", (Handler,), {"receiver": receiver})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        receiver.port = server.server_address[1]
        if tls:
            receiver.scheme = "https"
            server.socket = tls_context(tls).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            server.shutdown()
            thread.join()


@dataclass
class MailReceiver:
    """Takes mail; `answers` are what it says to DATA and `refused` are recipients it does not
    have.
    """

    answers: list[str] = field(default_factory=lambda: ["250 OK"])
    refused: tuple[str, ...] = ()
    mails: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content))
            self.recipients.append(envelope.rcpt_tos)
        return answer


@contextmanager
def mail_receiver(
    *answers: str, password: str = "", tls: Path | None = None, **options: Any
) -> Iterator[MailReceiver]:
    """With a `password` it wants a login (any name); with `tls` STARTTLS before anything else."""
    receiver = MailReceiver(list(answers) or ["250 OK"], **options)

    def login(server, session, envelope, mechanism, data) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=right, handled=False)

    wants: dict[str, Any] = {}
    if password:
        wants = {"authenticator": login, "auth_required": True}
    if tls:
        wants |= {"tls_context": tls_context(tls), "require_starttls": True}
    # It connects to itself to begin, so that it cannot be given port 0.
    receiver.port = free_port()
    server = Controller(receiver, hostname="127.0.0.1", port=receiver.port, **wants)
    server.start()
    try:
        yield receiver
    finally:
        server.stop()
