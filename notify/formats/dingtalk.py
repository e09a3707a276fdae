"""A robot of a DingTalk group. With a secret the address gets `timestamp` (milliseconds) and
`sign`: base64 of HMAC-SHA256 over "timestamp\\nsecret" with the secret as key; DingTalk refuses
timestamps that are more than an hour off. 20 messages a minute.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from notify.formats.base import Message, Reply, Request, check_code, dumps, fitted, harmless

MOST_BYTES = 18_000
BUSY = (-1, 130101, 410100)  # the system is busy; too many messages


def request(channel: Any, message: Message) -> Request:
    blocks = []
    for notice in message.notices:
        link = f" [→]({notice.url})" if notice.url else ""
        blocks.append(f"- **{harmless(notice.title)}**{link}  \n  {harmless(notice.text)}")
    head = f"### {harmless(message.title)}"
    text = fitted(head, blocks, MOST_BYTES, message.left_out)
    body = {"msgtype": "markdown", "markdown": {"title": harmless(message.title), "text": text}}
    return Request(_signed(channel, message), dumps(body))


def _signed(channel: Any, message: Message) -> str:
    if not channel.secret:
        return str(channel.url)
    stamp = str(round(message.now.timestamp() * 1000))
    query = urlencode({"timestamp": stamp, "sign": sign(channel.secret, stamp)})
    return f"{channel.url}{'&' if '?' in channel.url else '?'}{query}"


def sign(secret: str, stamp: str) -> str:
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def check(reply: Reply) -> None:
    check_code(reply, ("errcode",), BUSY)
