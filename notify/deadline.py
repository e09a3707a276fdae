"""A limit to the whole of a conversation: the timeout of a socket only limits the silence between
two bytes, and a server that sends one byte now and then never runs into it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Deadline:
    """`with Deadline(10, lambda: sock):` cuts the socket of that moment after 10 seconds.

    What was waiting on it then fails with an OSError; `is_over` tells why.
    """

    def __init__(self, seconds: float, line: Callable[[], socket.socket | None]) -> None:
        self._over = threading.Event()
        self._line = line
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def _cut(self) -> None:
        self._over.set()
        try:
            if line := self._line():
                line.shutdown(socket.SHUT_RDWR)
        except OSError:  # it ended by itself at this moment
            return

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
