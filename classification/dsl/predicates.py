"""The questions a rule may ask. Each is declared once: parameters, the sections it needs, how the
store answers, how Python answers, and how it reads in plain words. Its docstring is its help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import tokens
from classification.dsl import patterns
from classification.dsl.errors import Fault, nearest, unknown
from classification.dsl.parameters import Days, Flag, Parameter, Texts
from classification.dsl.subject import Context, Subject
from whalefall.engines import DB_TYPES, engine
from whalefall.engines.base import Rules
from whalefall.engines.observed import Kind, Scope, SectionStatus

Args = Mapping[str, Any]

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

REACHES = ("login", "set_role", "either")


def engine_rules(db_type: str) -> Rules:
    """The engine's rules; the general ones for a product whose engine is not there yet."""
    try:
        return engine(db_type).rules
    except LookupError:
        return Rules()


def incomplete(sections: Sequence[str]) -> list[str]:
    """The tokens that say that one of these sections could not be read in full."""
    bad = (SectionStatus.DENIED, SectionStatus.FAILED)
    return [tokens.section(name, status) for name in sections for status in bad]


class Doubts(NamedTuple):
    """What keeps a "no" from being certain: one of the tokens, or NULL in one of the columns."""

    tokens: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def query(self) -> Q:
        """The accounts with a doubt; nobody where there can be none."""
        found = [Q(**{f"{column}__isnull": True}) for column in self.columns]
        if self.tokens:
            found.append(Q(fact_tokens__overlap=list(self.tokens)))
        return Q(*found, _connector=Q.OR) if found else Q(pk__in=())


class Predicate:
    """A question about one account. `true` is what the store is asked; where it says no and a
    doubt holds, the answer cannot be known.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    is_volatile: ClassVar[bool] = False

    def check(self, args: Args, path: str, rules: Rules) -> Iterator[Fault]:
        """What is wrong with the arguments, in the order of the parameters."""
        known = tuple(parameter.name for parameter in self.parameters)
        for key in args:
            if key not in known:
                yield unknown(f"{path}.{key}", _("argument"), str(key), known, "unknown_argument")
        for parameter in self.parameters:
            place = f"{path}.{parameter.name}"
            if parameter.name in args:
                yield from parameter.check(args[parameter.name], place, rules)
            elif parameter.required:
                choices = tuple(parameter.choices(rules))
                yield Fault(place, _("This argument is missing."), "required", choices)

    def filled(self, args: Args) -> Args:
        """Every parameter with its value, defaults included."""
        return {
            parameter.name: parameter.clean(args[parameter.name])
            if parameter.name in args
            else parameter.default
            for parameter in self.parameters
        }

    def given(self, args: Args) -> dict[str, Any]:
        """The arguments as they are stored: without those that equal their default."""
        return {
            parameter.name: list(value) if isinstance(value, tuple) else value
            for parameter in self.parameters
            if (value := args[parameter.name]) != parameter.default or parameter.required
        }

    def true(self, args: Args, context: Context) -> Q:
        raise NotImplementedError

    def doubts(self, args: Args, rules: Rules) -> Doubts:
        return Doubts()

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        """True, False, or None where it cannot be known."""
        raise NotImplementedError

    def describe(self, args: Args) -> str:
        raise NotImplementedError

    @property
    def help(self) -> str:
        return " ".join((type(self).__doc__ or "").split())


PREDICATES: dict[str, Predicate] = {}


def predicate(cls: type[Predicate]) -> type[Predicate]:
    PREDICATES[cls.name] = cls()
    return cls


@dataclass(frozen=True, slots=True)
class Words:
    """A question to the token index, answered alike in the store and in Python.

    Yes, if one of `exact` is there; or a token LIKE the second of a pair in `like`; or a token
    that begins with the second of a triple in `covers` and goes on with a LIKE pattern for the
    third. The first of each is a token that is there whenever such a token is: the index finds
    it.
    """

    exact: tuple[str, ...] = ()
    like: tuple[tuple[str, str], ...] = ()
    covers: tuple[tuple[str, str, str], ...] = ()

    def query(self) -> Q:
        found = [Q(fact_tokens__overlap=list(self.exact))] if self.exact else []
        found += [
            Q(fact_tokens__contains=[base]) & Q(fact_tokens__any_like=pattern)
            for base, pattern in self.like
        ]
        found += [
            Q(fact_tokens__contains=[base]) & Q(fact_tokens__any_covers=(prefix, name))
            for base, prefix, name in self.covers
        ]
        return Q(*found, _connector=Q.OR)

    def found(self, there: frozenset[str]) -> tuple[str, ...]:
        """The tokens among `there` that make the answer yes, sorted."""
        hits = there.intersection(self.exact)
        for base, pattern in self.like:
            if base in there:
                hits |= {word for word in there if patterns.like(pattern, word)}
        for base, prefix, name in self.covers:
            if base in there:
                hits |= {word for word in there if _covers(word, prefix, name)}
        return tuple(sorted(hits))


def _covers(word: str, prefix: str, name: str) -> bool:
    pattern = tokens.bare(word[len(prefix) :])
    return word.startswith(prefix) and patterns.like(pattern, name)


class TokenPredicate(Predicate):
    """Answered by tokens; not knowable while a section that would bring them is incomplete."""

    def words(self, args: Args, rules: Rules) -> Words:
        raise NotImplementedError

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        """The sections that must be complete before "not there" means no."""
        raise NotImplementedError

    def true(self, args: Args, context: Context) -> Q:
        return self.words(args, context.rules).query()

    def doubts(self, args: Args, rules: Rules) -> Doubts:
        return Doubts(tokens=tuple(incomplete(self.sections(args, rules))))

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        if self.words(args, context.rules).found(subject.tokens):
            return True
        doubts = self.doubts(args, context.rules)
        return False if subject.tokens.isdisjoint(doubts.tokens) else None


class ColumnPredicate(Predicate):
    """Answered by a typed column; NULL there means that the server did not tell."""

    column: ClassVar[str]

    def doubts(self, args: Args, rules: Rules) -> Doubts:
        return Doubts(columns=(self.column,))


def _reached(words: Sequence[str], args: Args) -> tuple[str, ...]:
    """The words for what is held at login, what SET ROLE would bring, or both."""
    held = () if args["reach"] == "set_role" else tuple(words)
    more = () if args["reach"] == "login" else tuple(tokens.reach(word) for word in words)
    return held + more


REACH = Parameter(
    "reach",
    gettext_lazy("reach"),
    required=False,
    default="login",
    choices=lambda rules: REACHES,
)


def _with_reach(text: str, args: Args) -> str:
    if args["reach"] == "set_role":
        return _("%(what)s by SET ROLE") % {"what": text}
    if args["reach"] == "either":
        return _("%(what)s at login or by SET ROLE") % {"what": text}
    return text


@predicate
class DbTypeIn(Predicate):
    """The account lives on one of these products."""

    name = "db_type_in"
    parameters = (Texts("types", gettext_lazy("engine"), choices=lambda rules: tuple(DB_TYPES)),)

    def true(self, args: Args, context: Context) -> Q:
        return Q(db_type__in=list(args["types"]))

    def holds(self, args: Args, subject: Subject, context: Context) -> bool:
        return subject.db_type in args["types"]

    def describe(self, args: Args) -> str:
        return _("is on %(types)s") % {"types": ", ".join(DB_TYPES[t] for t in args["types"])}


@predicate
class AccountKindIn(Predicate):
    """The account is of one of these kinds: user, role, group, public (what everybody has),
    database_user.
    """

    name = "account_kind_in"
    parameters = (
        Texts(
            "kinds", gettext_lazy("kind"), choices=lambda rules: tuple(kind.value for kind in Kind)
        ),
    )

    def words(self, args: Args) -> list[str]:
        return [tokens.kind(kind) for kind in args["kinds"]]

    def true(self, args: Args, context: Context) -> Q:
        return Q(fact_tokens__overlap=self.words(args))

    def holds(self, args: Args, subject: Subject, context: Context) -> bool:
        return not subject.tokens.isdisjoint(self.words(args))

    def describe(self, args: Args) -> str:
        return _("is of kind %(kinds)s") % {"kinds": ", ".join(args["kinds"])}


@predicate
class HasCapability(TokenPredicate):
    """The account has this capability: what its privileges, roles and attributes add up to under
    the rules of its product. `reach`: at login, by SET ROLE, or either.
    """

    name = "has_capability"
    parameters = (
        Parameter(
            "name", gettext_lazy("capability"), choices=lambda rules: rules.capabilities_known
        ),
        REACH,
    )

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(_reached([tokens.capability(args["name"])], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_capability(args["name"])

    def describe(self, args: Args) -> str:
        return _with_reach(_("has %(name)s") % {"name": args["name"]}, args)


@predicate
class IsSuperuser(TokenPredicate):
    """Nothing is refused to the account: the product's superuser, or what amounts to it."""

    name = "is_superuser"
    parameters = (REACH,)

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(_reached([tokens.capability("SUPERUSER")], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_capability("SUPERUSER")

    def describe(self, args: Args) -> str:
        return _with_reach(_("is a superuser"), args)


@predicate
class HasRole(TokenPredicate):
    """The account is in this role, itself or through other roles; with `direct`, itself only.
    `reach`: at login, by SET ROLE, or either.
    """

    name = "has_role"
    parameters = (
        Parameter("name", gettext_lazy("role")),
        Flag("direct", gettext_lazy("direct"), required=False, default=False),
        REACH,
    )

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(_reached([tokens.role(args["name"], args["direct"])], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_role()

    def describe(self, args: Args) -> str:
        text = _("is directly in role %(name)s") if args["direct"] else _("is in role %(name)s")
        return _with_reach(text % {"name": args["name"]}, args)


@predicate
class CanGrantRole(TokenPredicate):
    """The account may give this role on to others (WITH ADMIN OPTION), itself or through a role it
    is in; without a name, any role. `reach`: at login, by SET ROLE, or either.
    """

    name = "can_grant_role"
    parameters = (Parameter("name", gettext_lazy("role"), required=False), REACH)

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(_reached([tokens.role_admin(args["name"] or "")], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_role()

    def describe(self, args: Args) -> str:
        text = _("may grant role %(name)s") % args if args["name"] else _("may grant some role")
        return _with_reach(text, args)


SCOPE = Parameter("scope", gettext_lazy("scope"), choices=lambda rules: tuple(SCOPES))
DATABASE = Parameter("database", gettext_lazy("database"), required=False)
OBJECT = Parameter("object", gettext_lazy("object"), required=False)


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
        bases = _reached([self.write(scope, name)], args)
        database, place = args["database"], args["object"]
        if database is None and place is None:
            exact += bases
        elif place is None and scope in (Scope.DATABASE, Scope.TABLESPACE):
            exact += _reached([self.write(scope, name, (database,))], args)
            if scope is Scope.DATABASE:
                marks = _reached([self.any_pattern(scope, name)], args)
                begins = _reached([self.write(scope, name, ("",), pattern=True)], args)
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
        return _with_reach(
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
    parameters = (Parameter("name", gettext_lazy("privilege")), SCOPE, DATABASE, OBJECT, REACH)


@predicate
class HasAnyPrivilege(Placed):
    """The account has at least one of these privileges at this scope; see has_privilege."""

    name = "has_any_privilege"
    parameters = (Texts("names", gettext_lazy("privilege")), SCOPE, DATABASE, OBJECT, REACH)

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
        Parameter("name", gettext_lazy("privilege"), required=False),
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
        Parameter("name", gettext_lazy("privilege")),
        SCOPE,
        Parameter("trait", gettext_lazy("trait")),
        REACH,
    )

    def words(self, args: Args, rules: Rules) -> Words:
        scopes = SCOPES[args["scope"]]
        found = [tokens.trait(scope, args["name"], args["trait"]) for scope in scopes]
        return Words(_reached(found, args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return _sections_for(rules, args["scope"])

    def describe(self, args: Args) -> str:
        text = _("has %(name)s at scope %(scope)s on something %(trait)s") % args
        return _with_reach(text, args)


class NamePredicate(Predicate):
    """Answered by the account's name, which is always known."""

    parameters = (Parameter("pattern", gettext_lazy("pattern"), may_be_empty=True),)

    def lookup(self, rules: Rules) -> str:
        raise NotImplementedError

    def part(self, username: str, rules: Rules) -> str:
        raise NotImplementedError

    def true(self, args: Args, context: Context) -> Q:
        pattern = patterns.glob_to_like(args["pattern"])
        return Q(**{f"account__username__{self.lookup(context.rules)}": pattern})

    def holds(self, args: Args, subject: Subject, context: Context) -> bool:
        pattern = patterns.glob_to_like(args["pattern"])
        return patterns.like(pattern, self.part(subject.username, context.rules))


@predicate
class UsernameMatches(NamePredicate):
    """The account's name is like this pattern (* anything, ? one character; letters' case counts).
    Where accounts are user@host, the user alone.
    """

    name = "username_matches"

    def lookup(self, rules: Rules) -> str:
        return "user_like" if rules.accounts_have_host else "like"

    def part(self, username: str, rules: Rules) -> str:
        user, at, _host = username.rpartition("@")
        return user if rules.accounts_have_host and at else username

    def describe(self, args: Args) -> str:
        return _("is named like “%(pattern)s”") % args


@predicate
class HostMatches(NamePredicate):
    """The host of an account user@host is like this pattern (* anything, ? one character); % and _
    stand for themselves.
    """

    name = "host_matches"

    def check(self, args: Args, path: str, rules: Rules) -> Iterator[Fault]:
        yield from super().check(args, path, rules)
        if not rules.accounts_have_host:
            message = _("Accounts of this engine have no host.")
            yield Fault(path.removesuffix(".args") + ".fn", message, "engine")

    def lookup(self, rules: Rules) -> str:
        return "host_like"

    def part(self, username: str, rules: Rules) -> str:
        _user, at, host = username.rpartition("@")
        return host if at else ""

    def describe(self, args: Args) -> str:
        return _("comes from a host like “%(pattern)s”") % args


@predicate
class IsLocked(ColumnPredicate):
    """The account is locked or disabled on its server."""

    name = "is_locked"
    column = "is_locked"

    def true(self, args: Args, context: Context) -> Q:
        return Q(is_locked=True)

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        return subject.is_locked

    def describe(self, args: Args) -> str:
        return _("is locked")


@predicate
class CanLogin(ColumnPredicate):
    """The account may open a session (a role that is only granted to others may not)."""

    name = "can_login"
    column = "can_login"

    def true(self, args: Args, context: Context) -> Q:
        return Q(can_login=True)

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        return subject.can_login

    def describe(self, args: Args) -> str:
        return _("can log in")


class AgePredicate(ColumnPredicate):
    """A point in time lies more than so many days back."""

    parameters = (Days("days", gettext_lazy("days")),)
    is_volatile = True

    def true(self, args: Args, context: Context) -> Q:
        edge = context.now - timedelta(days=args["days"])
        return Q(**{f"{self.column}__lt": edge, f"{self.column}__isnull": False})

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        moment = getattr(subject, self.column)
        return None if moment is None else moment < context.now - timedelta(days=args["days"])


@predicate
class PasswordOlderThan(AgePredicate):
    """The password was last changed more than so many days ago. Unknown where the server keeps no
    date.
    """

    name = "password_older_than"
    column = "password_changed_at"

    def describe(self, args: Args) -> str:
        return _("has a password older than %(days)s days") % args


@predicate
class LastLoginBefore(AgePredicate):
    """The last login was more than so many days ago. Unknown where the server keeps no date."""

    name = "last_login_before"
    column = "last_login_at"

    def describe(self, args: Args) -> str:
        return _("has not logged in for %(days)s days") % args


@predicate
class ValidUntilPassed(Predicate):
    """The account's end date has passed."""

    name = "valid_until_passed"
    is_volatile = True

    def true(self, args: Args, context: Context) -> Q:
        return Q(valid_until__lt=context.now, valid_until__isnull=False)

    def holds(self, args: Args, subject: Subject, context: Context) -> bool:
        return subject.valid_until is not None and subject.valid_until < context.now

    def describe(self, args: Args) -> str:
        return _("is past its end date")


@predicate
class NeverExpires(Predicate):
    """The account has no end date."""

    name = "never_expires"

    def true(self, args: Args, context: Context) -> Q:
        return Q(valid_until__isnull=True)

    def holds(self, args: Args, subject: Subject, context: Context) -> bool:
        return subject.valid_until is None

    def describe(self, args: Args) -> str:
        return _("has no end date")
