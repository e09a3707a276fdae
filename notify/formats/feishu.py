"""A robot of a Feishu (Lark) group. With a secret the body has `timestamp` (seconds) and `sign`:
base64 of HMAC-SHA256 over nothing, with "timestamp\\nsecret" as key; Feishu refuses timestamps that
are more than an hour off. 100 messages a minute, 20 kB each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from django.utils.translation import gettext as _

from notify.formats.base import Message, Notice, Reply, Request, check_code, dumps

MOST_NOTICES = 40
LONGEST_TEXT = 300
BUSY = (9499, 11232, 99991400)  # too many messages


def request(channel: Any, message: Message) -> Request:
    """A `post`: its pieces of text are taken as they are, whatever they hold."""
    shown = message.notices[:MOST_NOTICES]
    lines = [_line(notice) for notice in shown]
    if more := message.total - len(shown):
        lines.append([{"tag": "text", "text": _("… and %(n)d more.") % {"n": more}}])
    post = {"title": message.title, "content": lines}
    body: dict[str, Any] = {"msg_type": "post", "content": {"post": {"zh_cn": post}}}
    if channel.secret:
        stamp = str(int(message.now.timestamp()))
        body = {"timestamp": stamp, "sign": sign(channel.secret, stamp), **body}
    return Request(channel.url, dumps(body))


def _line(notice: Notice) -> list[dict[str, str]]:
    text = f"{notice.title}: {notice.text}"[:LONGEST_TEXT]
    line = [{"tag": "text", "text": f"{text} "}]
    return [*line, {"tag": "a", "text": "→", "href": notice.url}] if notice.url else line


def sign(secret: str, stamp: str) -> str:
    digest = hmac.new(f"{stamp}\n{secret}".encode(), digestmod=hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def check(reply: Reply) -> None:
    check_code(reply, ("code", "StatusCode"), BUSY)
