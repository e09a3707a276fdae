"""The questions a rule may ask. Each is declared once: parameters, the sections it needs, how the
store answers, how Python answers, and how it reads in plain words. Its docstring is its help.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import tokens
from classification.dsl import patterns
from classification.dsl.base import (
    PREDICATES,
    REACH,
    Args,
    ColumnPredicate,
    Predicate,
    TokenPredicate,
    Words,
    engine_rules,
    predicate,
    reached,
    with_reach,
)
from classification.dsl.errors import Fault
from classification.dsl.parameters import Days, Flag, Parameter, Texts
from classification.dsl.placed import SCOPES
from classification.dsl.subject import Context, Subject
from whalefall.engines import DB_TYPES
from whalefall.engines.base import Rules
from whalefall.engines.observed import Kind

__all__ = ["PREDICATES", "SCOPES", "engine_rules"]


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
        return Words(reached([tokens.capability(args["name"])], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_capability(args["name"])

    def describe(self, args: Args) -> str:
        return with_reach(_("has %(name)s") % {"name": args["name"]}, args)


@predicate
class IsSuperuser(TokenPredicate):
    """Nothing is refused to the account: the product's superuser, or what amounts to it."""

    name = "is_superuser"
    parameters = (REACH,)

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(reached([tokens.capability("SUPERUSER")], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_capability("SUPERUSER")

    def describe(self, args: Args) -> str:
        return with_reach(_("is a superuser"), args)


@predicate
class HasRole(TokenPredicate):
    """The account is in this role, itself or through other roles; with `direct`, itself only.
    `reach`: at login, by SET ROLE, or either.
    """

    name = "has_role"
    parameters = (
        Parameter("name", gettext_lazy("role"), completes="role"),
        Flag("direct", gettext_lazy("direct"), required=False, default=False),
        REACH,
    )

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(reached([tokens.role(args["name"], args["direct"])], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_role()

    def describe(self, args: Args) -> str:
        text = _("is directly in role %(name)s") if args["direct"] else _("is in role %(name)s")
        return with_reach(text % {"name": args["name"]}, args)


@predicate
class CanGrantRole(TokenPredicate):
    """The account may give this role on to others (WITH ADMIN OPTION), itself or through a role it
    is in; without a name, any role. `reach`: at login, by SET ROLE, or either.
    """

    name = "can_grant_role"
    parameters = (Parameter("name", gettext_lazy("role"), required=False, completes="role"), REACH)

    def words(self, args: Args, rules: Rules) -> Words:
        return Words(reached([tokens.role_admin(args["name"] or "")], args))

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        return rules.sections_for_role()

    def describe(self, args: Args) -> str:
        text = _("may grant role %(name)s") % args if args["name"] else _("may grant some role")
        return with_reach(text, args)


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
