"""The predicates about privileges at a scope, anywhere in it or on one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import tokens
from classification.dsl import patterns
from classification.dsl.base import (
    REACH,
    Args,
    TokenPredicate,
    Words,
    predicate,
    reached,
    with_reach,
)
from classification.dsl.errors import Fault, nearest, unknown
from classification.dsl.parameters import Parameter, Texts
from whalefall.engines.base import Rules
from whalefall.engines.observed import Scope

SCOPES: dict[str, tuple[Scope, ...]] = {
    "global": (Scope.GLOBAL,),
    "server": (Scope.SERVER, Scope.SYSTEM),
    "database": (Scope.DATABASE, Scope.TABLESPACE),
    "tablespace": (Scope.TABLESPACE,),
    "schema": (Scope.SCHEMA,),
    "table": (Scope.TABLE,),
    "column": (Scope.COLUMN,),
    "routine": (Scope.ROUTINE,),
    "sequence": (Scope.SEQUENCE,),
    "other": (Scope.OTHER,),
}
"""The scopes of the language and the entries each looks at."""

SCOPE = Parameter("scope", gettext_lazy("scope"), choices=lambda rules: tuple(SCOPES))
PRIVILEGE = Parameter("name", gettext_lazy("privilege"), completes="privilege")
PRIVILEGES = Texts("names", gettext_lazy("privilege"), completes="privilege")
DATABASE = Parameter("database", gettext_lazy("database"), required=False, completes="database")
OBJECT = Parameter("object", gettext_lazy("object"), required=False, completes="object")


def _sections_for(rules: Rules, scope: str) -> tuple[str, ...]:
    found = [rules.sections_for_scope(entry) for entry in SCOPES[scope]]
    return tuple(dict.fromkeys(section for sections in found for section in sections))


class Placed(TokenPredicate):
    """A privilege at a scope, anywhere in it or on one place."""

    write: ClassVar[Any] = staticmethod(tokens.privilege)
    any_pattern: ClassVar[Any] = staticmethod(tokens.any_pattern)

    def names(self, args: Args, rules: Rules) -> Sequence[str]:
        return (args["name"],)

    def check(self, args: Args, path: str, rules: Rules) -> Iterator[Fault]:
        faults = list(super().check(args, path, rules))
        yield from faults or self._known(args, path, rules)

    def _known(self, args: Args, path: str, rules: Rules) -> Iterator[Fault]:
        if not rules.privileges:
            return
        known = _privileges(rules, args["scope"])
        if not known:
            scopes = tuple(scope for scope in SCOPES if _privileges(rules, scope))
            yield unknown(
                f"{path}.scope", _("scope of this engine"), args["scope"], scopes, "choice"
            )
        for place, name in self._named(args, path):
            if name not in known:
                yield from _misplaced(place, name, args["scope"], known, rules)

    def _named(self, args: Args, path: str) -> list[tuple[str, str]]:
        return [(f"{path}.name", args["name"])] if "name" in args else []

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return _sections_for(rules, args["scope"])

    def database(self, args: Args) -> str:
        """What an entry is in stands first in its name: entries of another database cannot match.
        A name without a point may be one of anything.
        """
        if args["database"] is not None:
            return str(args["database"])
        place = args["object"]
        if place is None or patterns.is_glob(place):
            return ""
        found = tokens.parts(place)
        return found[0] if len(found) > 1 else ""

    def words(self, args: Args, rules: Rules) -> Words:
        exact: list[str] = []
        like: list[tuple[str, str]] = []
        covers: list[tuple[str, str, str]] = []
        for scope in SCOPES[args["scope"]]:
            for name in self.names(args, rules):
                self._add(scope, name, args, exact, like, covers)
        return Words(tuple(exact), tuple(like), tuple(covers))

    def _add(
        self,
        scope: Scope,
        name: str,
        args: Args,
        exact: list[str],
        like: list[tuple[str, str]],
        covers: list[tuple[str, str, str]],
    ) -> None:
        bases = reached([self.write(scope, name)], args)
        database, place = args["database"], args["object"]
        if database is None and place is None:
            exact += bases
        elif place is None and scope in (Scope.DATABASE, Scope.TABLESPACE):
            exact += reached([self.write(scope, name, (database,))], args)
            if scope is Scope.DATABASE:
                marks = reached([self.any_pattern(scope, name)], args)
                begins = reached([self.write(scope, name, ("",), pattern=True)], args)
                # The empty name is written "": what stands before it begins every pattern entry.
                covers += [
                    (mark, begin[:-2], database) for mark, begin in zip(marks, begins, strict=True)
                ]
        elif database is None and not patterns.is_glob(place):
            exact += [f"{base}@{place}" for base in bases]
        else:
            like += [
                (base, f"{patterns.escaped(base)}@{_place(database, place)}") for base in bases
            ]

    def describe(self, args: Args) -> str:
        names = " / ".join(self.names_shown(args))
        text = _("%(verb)s %(name)s at scope %(scope)s") % {
            "verb": self.verb(),
            "name": names,
            "scope": args["scope"],
        }
        place = ".".join(part for part in (args["database"], args["object"]) if part is not None)
        return with_reach(
            _("%(what)s on %(place)s") % {"what": text, "place": place} if place else text, args
        )

    def names_shown(self, args: Args) -> Sequence[str]:
        return (args["name"],)

    def verb(self) -> str:
        return _("has")


def _place(database: str | None, place: str | None) -> str:
    """The LIKE pattern for `database.object`, either of which may be left out."""
    if database is None:
        return patterns.glob_to_like(place or "*")
    return (
        f"{patterns.escaped(tokens.object_name((database,)))}.{patterns.glob_to_like(place or '*')}"
    )


def _privileges(rules: Rules, scope: str) -> tuple[str, ...]:
    """What the engine knows at a scope of the language, in its order."""
    found = [rules.privileges.get(entry, ()) for entry in SCOPES[scope]]
    return tuple(dict.fromkeys(name for names in found for name in names))


def _misplaced(
    path: str, name: str, scope: str, known: tuple[str, ...], rules: Rules
) -> Iterator[Fault]:
    """A privilege of another scope, or a slip of the pen. What looks like nothing known passes:
    plugins bring privileges of their own.
    """
    places = [other for other in SCOPES if name in _privileges(rules, other)]
    if places:
        message = _("%(name)s is no privilege of scope %(scope)s. It exists at: %(places)s") % {
            "name": name,
            "scope": scope,
            "places": ", ".join(places),
        }
        yield Fault(path, message, "wrong_scope", tuple(places))
    elif nearest(name, known, cutoff=0.85):
        yield unknown(path, _("privilege"), name, known, "choice")


@predicate
class HasPrivilege(Placed):
    """The account has this privilege, its own or through roles, at this scope. Scope server looks
    at server and system privileges, scope database at databases and tablespaces. `database` names
    one database; `object` the thing as in `sales.orders`, where * stands for anything. `reach`: at
    login, by SET ROLE, or either.
    """

    name = "has_privilege"
    parameters = (PRIVILEGE, SCOPE, DATABASE, OBJECT, REACH)


@predicate
class HasAnyPrivilege(Placed):
    """The account has at least one of these privileges at this scope; see has_privilege."""

    name = "has_any_privilege"
    parameters = (PRIVILEGES, SCOPE, DATABASE, OBJECT, REACH)

    def names(self, args: Args, rules: Rules) -> Sequence[str]:
        return tuple(args["names"])

    def names_shown(self, args: Args) -> Sequence[str]:
        return tuple(args["names"])

    def _named(self, args: Args, path: str) -> list[tuple[str, str]]:
        return [(f"{path}.names[{i}]", name) for i, name in enumerate(args["names"])]


@predicate
class CanGrant(Placed):
    """The account may give this privilege on to others (WITH GRANT OPTION); without a name, any
    privilege of the scope.
    """

    name = "can_grant"
    parameters = (
        Parameter("name", gettext_lazy("privilege"), required=False, completes="privilege"),
        SCOPE,
        DATABASE,
        OBJECT,
        REACH,
    )
    write = staticmethod(tokens.grantable)
    any_pattern = staticmethod(tokens.grantable)

    def check(self, args: Args, path: str, rules: Rules) -> Iterator[Fault]:
        faults = list(super().check(args, path, rules))
        if not faults and "name" not in args and not _privileges(rules, args["scope"]):
            message = _("Name the privilege: this engine does not list those of the scope.")
            faults.append(Fault(f"{path}.name", message, "required"))
        yield from faults

    def names(self, args: Args, rules: Rules) -> Sequence[str]:
        return (args["name"],) if args["name"] else _privileges(rules, args["scope"])

    def names_shown(self, args: Args) -> Sequence[str]:
        return (args["name"] or _("any privilege"),)

    def verb(self) -> str:
        return _("may grant")


@predicate
class HasTrait(TokenPredicate):
    """The account has this privilege on something of this trait: a routine that runs with its
    owner's rights (security_definer), in scope other a kind of thing (language, parameter ...).
    `reach`: at login, by SET ROLE, or either.
    """

    name = "has_trait"
    parameters = (
        PRIVILEGE,
        SCOPE,
        Parameter("trait", gettext_lazy("trait"), completes="trait"),
        REACH,
    )

    def words(self, args: Args, rules: Rules) -> Words:
        scopes = SCOPES[args["scope"]]
        found = [tokens.trait(scope, args["name"], args["trait"]) for scope in scopes]
        return Words(reached(found, args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return _sections_for(rules, args["scope"])

    def describe(self, args: Args) -> str:
        text = _("has %(name)s at scope %(scope)s on something %(trait)s") % args
        return with_reach(text, args)
