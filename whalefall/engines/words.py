"""Every sentence that the engines say, as templates that a page finds again and translates.

Engines know no language: they say English, and that is what is stored (facts, sections, errors).
`{name}` stands for what varies; `KINDS` says for some names what it looks like, so that a
server's own message is not taken for one of ours. `tests/engines/test_words.py` holds the lists
complete: a sentence in the code that is not here fails it, and one here that nobody says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from whalefall.engines import DB_TYPES


def _(sentence: str) -> str:
    """Marks a text for `scripts/messages`."""
    return sentence


KINDS: Mapping[str, str] = {
    "privilege": r"[A-Z][A-Z0-9_ ]*",
    "count": r"\d+|…",
    "total": r"\d+|…",
    "number": r"\d+|…",
    "seconds": r"\d+(?:\.\d+)?|…",
    "name": r"\S+",
    "port": r"(?:\d+|…)(?:/[^\s:]*)?",
    "host": r"\S+",
    "state": r"[A-Z_]+",
    "access": r"[A-Z_]+",
    "code": r"[A-Z]+-\d+",
}
"""Name in a template -> a pattern; every other one is any text. "…" is what a list of causes puts
for a number.
"""
KNOWN_ONLY = frozenset({"cause"})
"""What stands here is a sentence of the lists itself, or the template does not fit."""
WITHIN = frozenset({"cause", "right", "power", "user", "why", "limit", "text", "version", "where"})
"""What stands here may be another sentence."""

COMMON = (
    # shapes of messages
    _("{login} at {host}:{port}"),
    _("{where}: {cause}."),
    _("{where}: {cause}"),
    _("{where} did not answer within {seconds} s."),
    _("{where} went away while it was being read: {text}"),
    _("{where} could not be read: {text}"),
    _("{where} cannot be connected to: {text}"),
    _("A statement took longer than {seconds} s: {text}"),
    _("Unknown TLS mode: {mode}. Must be one of: {choices}"),
    # why no connection was made
    _("unknown host"),
    _("nothing listens on that port"),
    _("no answer within {seconds} s"),
    _("wrong user name or password"),
    _("the server has no free connection"),
    _("the server offers no TLS"),
    _("the server's certificate is for another host name"),
    _("the server's certificate is not signed by a CA that is trusted"),
    # what to do
    _("Check the host name."),
    _("Check the host name and the DNS."),
    _("Check the port."),
    _("Check the port and that it runs."),
    _("Correct the credential."),
    _("Try again later."),
    _("Give the CA that signed it."),
    _("Give the instance the CA that signed it."),
    _("Use the name it was issued for, or TLS mode verify-ca."),
    # reasons
    _("WhaleFall reads with it"),
    _("{privilege} on {place}"),
    _("{privilege} in {place}"),
    _("{right} WITH GRANT OPTION"),
    _("{right} WITH ADMIN OPTION"),
)


@cache
def sentences() -> tuple[str, ...]:
    """The templates of every engine."""
    modules = (import_module(f"whalefall.engines.{db_type}.words") for db_type in DB_TYPES)
    own = (sentence for module in modules for sentence in module.SENTENCES)
    return tuple(dict.fromkeys((*COMMON, *own)))
