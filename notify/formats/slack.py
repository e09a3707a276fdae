"""An incoming webhook of Slack (Mattermost and Rocket.Chat take the same). Its address holds the
key. Slack asks for `&`, `<` and `>` to be escaped, and nothing else; it then calls nobody.
"""

from __future__ import annotations

from typing import Any

from notify.formats.base import Message, Reply, Request, check_status, dumps, fitted

MOST_BYTES = 30_000


def request(channel: Any, message: Message) -> Request:
    blocks = []
    for notice in message.notices:
        title = escaped(notice.title)
        title = f"<{escaped(notice.url)}|{title.replace('|', '¦')}>" if notice.url else title
        blocks.append(f"• {title}\n{escaped(notice.text)}")
    head = f"*{escaped(message.title)}*"
    text = fitted(head, blocks, MOST_BYTES, message.left_out)
    return Request(channel.url, dumps({"text": text, "unfurl_links": False}))


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def check(reply: Reply) -> None:
    check_status(reply)
