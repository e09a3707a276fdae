"""Channels and rules that these tests speak of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from notify.models import Channel, Delivery, Rule

SECRET = "whsec_c2VjcmV0LW9mLXRoZS13ZWJob29r"
TOKEN = "t0ken-of-the-robot"
MAIL_PASSWORD = "mail-passw0rd-7"


def channel(kind: str = "webhook", name: str = "dba-team", **fields: Any) -> Channel:
    """To an address of the internet, unless told otherwise."""
    defaults = {"url": f"https://hooks.example.org/{TOKEN}", "secret": SECRET}
    if kind == "email":
        mail = {"recipients": "dba@example.org", "sender": "whalefall@example.org"}
        defaults = mail | {"host": "127.0.0.1", "security": "none"}
    made = Channel(name=name, kind=kind, **(defaults | fields))
    made.clean()
    made.save()
    return made


def rule(kind: str, *channels: Channel, **fields: Any) -> Rule:
    """Made two days ago, so that it sees what the test does now."""
    made = Rule(name=fields.pop("name", kind), kind=kind, **fields)
    made.created_at = timezone.now() - timedelta(days=2)
    made.clean()
    made.save()
    made.channels.set(channels or [Channel.objects.first() or channel()])
    return made


def notice(number: int = 1, **data: Any) -> dict[str, Any]:
    defaults = {"job": f"job_{number}", "error": "out of disk", "severity": "high"}
    known = {"kind": "job_failed", "rule": "jobs", "time": timezone.now().isoformat()}
    return known | {"data": defaults | data}


def delivery(to: Channel | None = None, **fields: Any) -> Delivery:
    defaults = {"notices": [notice()]}
    return Delivery.objects.create(channel=to or channel(), **(defaults | fields))
