"""What the formats share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

LONGEST_WAIT = 3600
SHOWN_OF_REPLY = 200


class NotSent(Exception):
    """Why a message did not arrive. `for_good`: trying again would not help; `after`: how many
    seconds the receiver asks to wait.
    """

    def __init__(self, message: str, *, for_good: bool = False, after: int = 0) -> None:
        super().__init__(message)
        self.for_good, self.after = for_good, min(after, LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell, in the language of its channel. `url` is empty where the address of this
    system is not known.
    """

    kind: str
    severity: str
    title: str
    text: str
    url: str
    time: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """`left_out`: how many notices did not fit into the delivery."""

    id: str
    now: datetime
    title: str
    notices: list[Notice]
    left_out: int = 0
    is_test: bool = False

    @property
    def total(self) -> int:
        return len(self.notices) + self.left_out


@dataclass(frozen=True, slots=True)
class Request:
    """A POST. No repr shows the address, which holds the robot's token."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def check_status(reply: Reply) -> None:
    """Raises NotSent unless the answer is 2xx. What a client did wrong stays wrong."""
    if 200 <= reply.status < 300:
        return
    after = reply.headers.get("retry-after", "")
    for_good = 300 <= reply.status < 500 and reply.status not in (408, 425, 429)
    message = _("The receiver answered %(status)d: %(text)s") % {
        "status": reply.status,
        "text": shown(reply.body),
    }
    seconds = int(after) if after.isascii() and after.isdecimal() and len(after) < 9 else 0
    raise NotSent(message, for_good=for_good, after=seconds)


def check_code(reply: Reply, names: Iterable[str], busy: Iterable[int]) -> None:
    """Robots answer 200 with a code of their own, 0 for success. `busy` codes ask to wait."""
    check_status(reply)
    answer = reply.json()
    code = next((answer[name] for name in names if name in answer), None)
    if code == 0:
        return
    message = _("The robot refused it: %(text)s") % {"text": shown(reply.body)}
    raise NotSent(message, for_good=code is not None and code not in set(busy), after=60)


def shown(body: bytes) -> str:
    """The beginning of an answer, on one line."""
    text = " ".join(body[: 4 * SHOWN_OF_REPLY].decode("utf-8", "replace").split())
    return text.replace("\0", "")[:SHOWN_OF_REPLY] or "–"


def fitted(head: str, blocks: list[str], most_bytes: int, left_out: int = 0) -> str:
    """`head` and as many blocks as fit, then how many more there are. Sizes in UTF-8 bytes."""
    kept: list[str] = []
    # Room for the line that tells of the rest.
    room = most_bytes - len(head.encode()) - 100
    for block in blocks:
        room -= len(block.encode()) + 2
        if room < 0:
            break
        kept.append(block)
    more = len(blocks) - len(kept) + left_out
    rest = [_("… and %(n)d more.") % {"n": more}] if more else []
    return "\n\n".join([head, *kept, *rest])


# Names come from watched servers: a robot must not take them for links, pictures or calls.
LOOKALIKES = str.maketrans("[]<>*`#|", "［］＜＞＊｀＃｜")


def harmless(text: str) -> str:
    """`text` for markdown: its signs as their wide likenesses, on one line."""
    return " ".join(text.translate(LOOKALIKES).split())
