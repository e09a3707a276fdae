"""The colours of classifications."""

from django.utils.translation import gettext_lazy as _

COLORS = {
    "gray": "#6b7280",
    "red": "#dc2626",
    "orange": "#ea580c",
    "amber": "#d97706",
    "yellow": "#ca8a04",
    "green": "#16a34a",
    "teal": "#0d9488",
    "blue": "#2563eb",
    "indigo": "#4f46e5",
    "purple": "#9333ea",
    "pink": "#db2777",
}
"""Colour -> what it looks like, in light and dark."""

LABELS = {
    "gray": _("gray"),
    "red": _("red"),
    "orange": _("orange"),
    "amber": _("amber"),
    "yellow": _("yellow"),
    "green": _("green"),
    "teal": _("teal"),
    "blue": _("blue"),
    "indigo": _("indigo"),
    "purple": _("purple"),
    "pink": _("pink"),
}
"""Colour -> its name for people."""


def shown(color: str) -> str:
    """As a style needs it; what is no name of ours is gray."""
    return COLORS.get(color, COLORS["gray"])
