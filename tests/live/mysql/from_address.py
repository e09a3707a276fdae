"""Connections that come from an address of one's choice: the loopback has sixteen million."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def coming_from(address: str, port: int) -> Iterator[int]:
    """A port that passes everything on to `port`, whose clients then seem to be at `address`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, address, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, address: str, port: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(near, address, port), daemon=True).start()


def _carry(near: socket.socket, address: str, port: int) -> None:
    with near, socket.create_connection(("127.0.0.1", port), source_address=(address, 0)) as far:
        back = threading.Thread(target=_pass, args=(far, near), daemon=True)
        back.start()
        _pass(near, far)
        back.join()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while read := one.recv(65536):
            other.sendall(read)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
