"""The host part of an account: which clients it lets in, and how wide that is. Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
WIDEST_PREFIX = {4: 16, 6: 48}
"""A network of fewer fixed bits than this counts as wide."""


def is_local(host: str) -> bool:
    """Whether only clients on the server itself match."""
    return host.lower() in LOCAL or host.startswith("127.")


def is_any(host: str) -> bool:
    """Whether every client matches: `%`, the empty host, or a netmask of nothing."""
    return host.strip("%") == "" or host.endswith(("/0.0.0.0", "/0"))


def is_wide(host: str) -> bool:
    """Whether a very large part of a network matches: `10.%`, `%.com`, `10.0.0.0/255.0.0.0`."""
    if is_any(host):
        return True
    if "/" in host:
        return _network_is_wide(host)
    if "%" not in host and "_" not in host:
        return False
    fixed = [part for part in host.split(".") if part and not set(part) <= {"%", "_"}]
    return len(fixed) < 2


def _network_is_wide(host: str) -> bool:
    try:
        network = ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False
    return network.prefixlen < WIDEST_PREFIX[network.version]


def covers(pattern: str, host: str) -> bool:
    """Whether every client of an account for `host` also matches `pattern`. Says no where it
    cannot tell (host names against networks).
    """
    if pattern.lower() == host.lower() or is_any(pattern):
        return True
    if "/" in pattern:
        return _in_network(pattern, host)
    # A pattern taken as text: what it matches literally, all clients of that host match too.
    return like(pattern.lower(), host.lower()) and not _is_wilder(host, pattern)


def _in_network(pattern: str, host: str) -> bool:
    try:
        network = ipaddress.ip_network(pattern, strict=False)
        inner = ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False
    return isinstance(inner, type(network)) and inner.subnet_of(network)  # type: ignore[arg-type]


def _is_wilder(host: str, pattern: str) -> bool:
    """`_` would match the sign `%` of a host that is itself a pattern."""
    return "%" in host and "%" not in pattern


def like(pattern: str, text: str) -> bool:
    """SQL's LIKE, with the backslash as escape."""
    return _compiled(pattern).fullmatch(text) is not None


def may_both_match(one: str, other: str) -> bool:
    """Whether some text matches both of two LIKE patterns."""
    return _meet(_words(one), _words(other))


@lru_cache(maxsize=4096)
def _words(pattern: str) -> tuple[str, ...]:
    """`%` and `_` for the wildcards, two signs for every sign that stands for itself."""
    signs = iter(pattern)
    return tuple(
        sign if sign in "%_" else "=" + (next(signs, "\\") if sign == "\\" else sign)
        for sign in signs
    )


@lru_cache(maxsize=16384)
def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    for first, second in ((one, other), (other, one)):
        if first and first[0] == "%":
            return _meet(first[1:], second) or (bool(second) and _meet(first, second[1:]))
    if not one or not other:
        return not one and not other
    return ("_" in (one[0], other[0]) or one[0] == other[0]) and _meet(one[1:], other[1:])


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    signs = iter(pattern)
    for sign in signs:
        if sign == "\\":
            parts.append(re.escape(next(signs, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(sign, re.escape(sign)))
    return re.compile("".join(parts), re.DOTALL)
