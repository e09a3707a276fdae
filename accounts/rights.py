"""What takes effect for one principal, what explicit steps add, and the tokens of both. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from accounts import tokens
from accounts.effective import Path
from whalefall.engines.base import Capability
from whalefall.engines.observed import ObservedGrant, Scope

Placed = tuple[str, str, str, tuple[str, ...], bool]
"""scope as in the facts, object name, privilege, parts, is_pattern"""


@dataclass(slots=True)
class Rights:
    """What takes effect for one principal, each with its shortest path.

    `paths` are those of `token_paths`, kept where a role's rights are used again.
    """

    direct: tuple[str, ...] = ()
    roles: Mapping[str, Path] = field(default_factory=dict)
    admin_of: Mapping[str, Path] = field(default_factory=dict)
    capabilities: dict[str, Capability] = field(default_factory=dict)
    privileges: dict[Placed, Path] = field(default_factory=dict)
    grantable: dict[Placed, Path] = field(default_factory=dict)
    traits: dict[tuple[str, str, str], dict[str, Path]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)


@dataclass(slots=True)
class Reached:
    """Rights behind an explicit step. `paths`: token -> (the role to set, path through it)."""

    rights: Rights = field(default_factory=Rights)
    roles: dict[str, Path] = field(default_factory=dict)
    admin_of: dict[str, Path] = field(default_factory=dict)
    paths: dict[str, tuple[str, Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rights.roles, self.rights.admin_of = self.roles, self.admin_of

    def add_roles(self, step: str, prefix: Path, there: Rights, own: Rights, name: str) -> None:
        for role, path in ((step, ()), *there.roles.items()):
            if role not in own.roles and role != name:
                _shorter(self.roles, role, prefix + path)
                self._note(tokens.role(role), step, prefix + path)

    def add_capabilities(
        self, step: str, prefix: Path, there: Rights, own: Rights, personal: Iterable[str]
    ) -> None:
        more = self.rights.capabilities
        for name in there.capabilities.keys() - own.capabilities.keys() - set(personal):
            found, known = there.capabilities[name], more.get(name)
            path = prefix + tuple(found.path)
            if known is None or len(path) < len(known.path):
                more[name] = Capability(name, found.because, path)
                self._note(tokens.capability(name), step, path)

    def add_rights(self, prefix: Path, there: Rights, own: Rights) -> None:
        more = self.rights
        for ours, theirs, known_ones in (
            (more.privileges, there.privileges, own.privileges),
            (more.grantable, there.grantable, own.grantable),
        ):
            for key in theirs.keys() - known_ones.keys():
                _shorter(ours, key, prefix + theirs[key])
        for mark in there.traits.keys() - own.traits.keys():
            objects = more.traits.setdefault(mark, {})
            for name, path in there.traits[mark].items():
                _shorter(objects, name, prefix + path)
        for role in there.admin_of.keys() - own.admin_of.keys():
            _shorter(self.admin_of, role, prefix + there.admin_of[role])

    def add_paths(
        self, step: str, prefix: Path, there: Mapping[str, Path], has: Mapping[str, Path]
    ) -> None:
        for token in there.keys() - has.keys():
            if not token.startswith(("role.direct:", "role:", "cap:")):
                self._note(token, step, prefix + there[token])

    def _note(self, token: str, step: str, path: Path) -> None:
        known = self.paths.get(token)
        if known is None or len(path) < len(known[1]):
            self.paths[token] = (step, path)


def add(rights: Rights, grant: ObservedGrant, path: Path) -> None:
    """Book a grant that takes effect and came by `path`."""
    parts = grant.parts
    is_pattern = grant.is_pattern and bool(parts)
    scope = f"{grant.scope.value}.pattern" if is_pattern else grant.scope.value
    name = tokens.object_name(parts)
    placed = (scope, name, grant.privilege, parts, is_pattern)
    _shorter(rights.privileges, placed, path)
    if grant.grantable:
        _shorter(rights.grantable, placed, path)
    marks = grant.traits
    if grant.scope is Scope.OTHER and grant.object_type:
        marks = (*marks, grant.object_type)
    for mark in marks:
        objects = rights.traits.setdefault((grant.scope.value, grant.privilege, mark), {})
        _shorter(objects, name, path)


def _shorter(paths: dict[Any, Path], key: Any, path: Path) -> None:
    known = paths.get(key)
    if known is None or len(path) < len(known):
        paths[key] = path


@lru_cache(maxsize=20_000)
def _words(placed: Placed) -> tuple[str, str, str, str]:
    """The tokens of a privilege: placed, anywhere; the same as grantable."""
    scope, _name, privilege, parts, is_pattern = placed
    scope = scope.removesuffix(".pattern")
    return (
        tokens.privilege(scope, privilege, parts, is_pattern),
        tokens.privilege(scope, privilege),
        tokens.grantable(scope, privilege, parts, is_pattern),
        tokens.grantable(scope, privilege),
    )


def token_paths(rights: Rights) -> dict[str, Path]:
    """Token -> shortest path, for everything that the rights say."""
    found: dict[str, Path] = {}
    for name, capability in rights.capabilities.items():
        found[tokens.capability(name)] = tuple(capability.path)
    for role in rights.roles:
        found[tokens.role(role)] = rights.roles[role]
    for role in rights.direct:
        found[tokens.role(role, direct=True)] = ()
    for role, path in rights.admin_of.items():
        found[tokens.role_admin(role)] = path
        _shorter(found, tokens.role_admin(), path)
    for placed, path in rights.privileges.items():
        words = _words(placed)
        _shorter(found, words[0], path)
        _shorter(found, words[1], path)
        if placed[4]:
            _shorter(found, tokens.any_pattern(placed[0].removesuffix(".pattern"), placed[2]), path)
    for placed, path in rights.grantable.items():
        words = _words(placed)
        _shorter(found, words[2], path)
        _shorter(found, words[3], path)
    for key, objects in rights.traits.items():
        found[tokens.trait(*key)] = min(objects.values(), key=len)
    return found
