"""A way to a server that misbehaves: cuts the line in the middle, stalls, or says nothing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from threading import Event, Thread

from tests.servers.base import ThrowAwayServer


class Proxy:
    """Passes bytes on, until `cut_after` of them came from the server; `gate` holds them back.

    `passed` counts the bytes from the server.
    """

    def __init__(self, server: ThrowAwayServer, cut_after: int | None = None) -> None:
        self.server, self.cut_after = server, cut_after
        self.passed = 0
        self.gate = Event()
        self.gate.set()
        self.reached = Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.host = "127.0.0.1"
        self.sockets: list[socket.socket] = [self.listener]
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self.listener.accept()
                server = socket.create_connection((self.server.host, self.server.port))
                self.sockets += [client, server]
                Thread(target=self._pump, args=(client, server), daemon=True).start()
                Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1024):
                self.reached.set()
                self.gate.wait()
                if from_server and self.cut_after is not None:
                    data = data[: self.cut_after - self.passed]
                sink.sendall(data)
                if from_server:
                    self.passed += len(data)
                    if self.passed == self.cut_after:
                        break
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.gate.set()
        for each in self.sockets:
            each.close()


@contextlib.contextmanager
def proxy(server: ThrowAwayServer, cut_after: int | None = None) -> Iterator[Proxy]:
    made = Proxy(server, cut_after)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def silent_listener() -> Iterator[int]:
    """The port of a server that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
