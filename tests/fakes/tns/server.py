"""A listener and its database, on a free port of the loopback, in a thread with a loop of its own.

What a login gets to see is up to `answer`; this part knows passwords, states of accounts, services,
TLS, and how a server behaves badly: silent, slow, dying.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.fakes.tns.messages import OracleError, Result
from tests.fakes.tns.session import Answer, Died, Session

LOGON_ERRORS = {
    "LOCKED": (28000, "The account is locked."),
    "EXPIRED": (28001, "the password has expired"),
}


@dataclass(slots=True)
class Login:
    """A user who may come in. `state`: OPEN, LOCKED, EXPIRED; or `error` by number."""

    password: str
    state: str = "OPEN"
    error: tuple[int, str] | None = None


def nothing(session: Session, sql: str, binds: Sequence[Any]) -> Result:
    return Result((), ())


class FakeNet:
    """Use as a context manager; `port` says where it listens.

    `silent_on`: "connect" (accepts the TCP connection and says no word) or "statement" (never
    answers a statement nor a break). `protocol`: 317 is 19c's, 314 that of 11.2. `delays`: part of
    a statement -> seconds. `dies_on`: part of a statement in whose fetch the server goes away.
    `listener_refuses`: service -> ORA number.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        answer: Answer = nothing,
        logins: dict[str, Login] | None = None,
        services: Sequence[str] = ("orclpdb",),
        version: str = "19.3.0.0.0",
        certificates: Path | None = None,
    ) -> None:
        self.answer = answer
        self.logins = {name.upper(): login for name, login in (logins or {}).items()}
        self.services = [name.lower() for name in services]
        self.listener_refuses: dict[str, int] = {}
        self.full_version = version
        self.certificates = certificates
        self.protocol = 317
        self.silent_on = ""
        self.delays: dict[str, float] = {}
        self.dies_on = ""
        self.sessions: list[Session] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()

    @property
    def version(self) -> tuple[int, ...]:
        return tuple(map(int, self.full_version.split(".")))

    @property
    def version_number(self) -> int:
        """As the login tells it to the driver, in the layout of 18c and later."""
        first, second, third, fourth, fifth = (*self.version, 0, 0, 0, 0)[:5]
        return first << 24 | second << 16 | third << 12 | fourth << 4 | fifth

    @property
    def statements(self) -> list[str]:
        """What all clients sent, in the order of their sessions."""
        return [sql for session in self.sessions for sql in session.statements]

    # What the session asks

    def password(self, user: str) -> str | None:
        login = self.logins.get(user.strip('"').upper())
        return login.password if login else None

    def admit(self, user: str) -> None:
        """Raises OracleError where the account may not come in although the password is right."""
        login = self.logins[user.strip('"').upper()]
        refusal = login.error or LOGON_ERRORS.get(login.state)
        if refusal:
            raise OracleError(*refusal)

    async def before_statement(self, session: Session, sql: str) -> None:
        if self.silent_on == "statement":
            await asyncio.Event().wait()
        for part, seconds in self.delays.items():
            if part.lower() in sql.lower():
                await asyncio.sleep(seconds)

    async def before_fetch(self, session: Session) -> None:
        if self.dies_on and self.dies_on.lower() in session.statements[-1].lower():
            raise Died

    def after_answer(self, session: Session) -> None:
        """For servers that behave badly in other ways."""

    # Life

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(10):
            raise TimeoutError("the fake listener did not start")
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, self.host, 0, ssl=self._tls())
        )
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self.certificates is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates / "server.pem", self.certificates / "server.key")
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await Session(self, reader, writer).run()
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
