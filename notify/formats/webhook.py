"""JSON for programs, signed as the Standard Webhooks specification has it: HMAC-SHA256 over
`id.timestamp.body`. The id stays the same when a message is repeated, the timestamp is that of the
try: a receiver refuses old ones and ids it knows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import asdict
from typing import Any

from notify.formats.base import Message, Reply, Request, check_status, dumps


def request(channel: Any, message: Message) -> Request:
    body = dumps(
        {
            "id": message.id,
            "type": "whalefall.test" if message.is_test else "whalefall.notification",
            "timestamp": message.now.isoformat(timespec="seconds"),
            "title": message.title,
            "total": message.total,
            "notices": [asdict(notice) for notice in message.notices],
        }
    )
    stamp = str(int(message.now.timestamp()))
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature(channel.secret, message.id, stamp, body)}",
        "User-Agent": "WhaleFall",
    }
    return Request(channel.url, body, headers)


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """Base64. A secret `whsec_...` is base64 of the key, any other text is the key itself."""
    signed = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        if secret.startswith("whsec_"):
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        pass
    return secret.encode()


def check(reply: Reply) -> None:
    check_status(reply)
