"""A robot of a WeCom (Enterprise WeChat) group: its address holds the key, nothing is signed. 4,096
bytes of markdown, 20 messages a minute.
"""

from __future__ import annotations

from typing import Any

from notify.formats.base import Message, Reply, Request, check_code, dumps, fitted, harmless

MOST_BYTES = 4096
BUSY = (-1, 45009)  # the system is busy; too many messages
COLORS = {"critical": "warning", "high": "warning", "medium": "comment"}


def request(channel: Any, message: Message) -> Request:
    blocks = []
    for notice in message.notices:
        color = COLORS.get(notice.severity, "info")
        link = f" [→]({notice.url})" if notice.url else ""
        title = f'<font color="{color}">{harmless(notice.title)}</font>'
        blocks.append(f"{title}{link}\n> {harmless(notice.text)}")
    head = f"**{harmless(message.title)}**"
    text = fitted(head, blocks, MOST_BYTES, message.left_out)
    return Request(channel.url, dumps({"msgtype": "markdown", "markdown": {"content": text}}))


def check(reply: Reply) -> None:
    check_code(reply, ("errcode",), BUSY)
