"""Every sentence in the engines' code stands in the lists that pages translate from, and only
those.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import whalefall.engines
from whalefall.engines.words import sentences

FOLDER = Path(whalefall.engines.__file__).parent
SENTENCE = re.compile(r"\b[A-Za-z']?[a-z']+(?:,? [a-z']+){2,}\b")
"""Three words in a row, of which at most the first is capitalised."""
PLACE = re.compile(r"\{\w*\}")
ANY_TEXT = ("{cause}", "{right}", "{power}", "{limit}")
"""Templates with one of these fit nearly everything: they prove nothing."""
NOT_SHOWN = {
    "words.py",
    "revoking.py",  # SQL
    "testimony.py",  # what `manage.py verify_engine` prints
    "queries.py",  # for who writes an engine
}
DRIVERS_WORDS = {
    # Compared with what a driver or a server says.
    "Cannot open database",
    "Communication link failure",
    "Connect call failed",
    "Connection is closed",
    "Encryption not supported",
    "Failed to load",
    "Invalid object name",
    "Login failed for user",
    "Name or service not known",
    "No address associated",
    "Temporary failure in name resolution",
    "account is disabled",
    "certificate verify failed",
    "could not translate host name",
    "do(es)? not have permission",
    "does not match host name",
    "does not support",
    "does not support TLS",
    "expected authentication request",
    "is currently locked out",
    "is not able to access the database",
    "is not permitted to log in",
    "no pg_hba.conf entry",
    "nodename nor servname",
    "not currently accepting connections",
    "password authentication failed",
    "password of the account has expired",
    "password of the account must be changed",
    "permission denied for database",
    "permission has not been granted",
    "reading initial communication packet",
    "remaining connection slots",
    "root certificate file",
    "server does not support SSL",
    "too many clients",
    "too many connections for database",
    "too many connections for role",
    "unsupported startup parameter",
    "wrong version number",
}
NAMES = {
    # Kinds of things, settings and traits: part of facts, as the product calls them.
    "common criteria compliance enabled",
    "cross db ownership chaining",
    "denied to public",
    "fixed database role",
    "fixed server role",
    "foreign data wrapper",
    "inline table function",
    "search property list",
    "xml schema collection",
}
ON_THE_CONSOLE_ONLY = {
    "-- {}: run this part only.\n{}",
    "Azure SQL Database has no logins to ask about",
}


def text(node: ast.expr) -> str | None:
    """A literal as a template without names: `f"host {x}"` is "host {}"."""
    if isinstance(node, ast.Constant):
        return PLACE.sub("{}", node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        pieces = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
        return "".join(pieces)
    return None


def literals(path: Path) -> Iterator[str]:
    """The texts in a module: no docstrings, no tables that only the documentation shows."""
    tree = ast.parse(path.read_text())
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(map(id, node.values))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and "EXPLAINED" in ast.unparse(node):
            skipped.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        found = text(node) if isinstance(node, ast.expr) and id(node) not in skipped else None
        if found:
            yield found


@cache
def said() -> frozenset[str]:
    paths = (path for path in FOLDER.glob("*/*.py") if path.name not in NOT_SHOWN)
    return frozenset(literal for path in paths for literal in literals(path))


@cache
def pattern(template: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, PLACE.split(template))))


def fits(template: str, literal: str) -> bool:
    return pattern(template).fullmatch(literal) is not None


def test_every_sentence_in_the_code_is_in_the_lists():
    templates = [one for one in sentences() if not any(name in one for name in ANY_TEXT)]
    exact = {PLACE.sub("{}", one).removeprefix("{}") for one in sentences()}
    missing = {
        literal
        for literal in said() - DRIVERS_WORDS - NAMES - ON_THE_CONSOLE_ONLY
        if SENTENCE.search(literal)
        and literal.removeprefix("{}") not in exact
        and not any(fits(template, literal) for template in templates)
    }
    assert missing == set()


def test_every_sentence_in_the_lists_is_said():
    of_code = {literal.removeprefix("{}") for literal in said()}
    plain = {one: PLACE.sub("{}", one).removeprefix("{}") for one in sentences()}
    silent = [
        one
        for one, words in plain.items()
        if words not in of_code and not any(fits(literal, words) for literal in of_code)
    ]
    assert silent == []


def test_no_two_lists_hold_the_same_sentence():
    assert len(sentences()) == len({PLACE.sub("{}", one) for one in sentences()})
