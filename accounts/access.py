"""Who has PRIVILEGE on OBJECT: an index lookup over the tokens of every entry that would give it.

`Rules.covering` names those entries: the right itself, wider ones, ownership, power. Three queries
at most, whatever the number of accounts.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.db.models import BooleanField, Count, F, Func, Q, QuerySet, Value
from django.utils.translation import gettext as _

from accounts import facts, names, tokens
from accounts.models import AccountPermission
from whalefall.engines import engine
from whalefall.engines.base import Reference, Rules
from whalefall.engines.observed import Kind, Scope
from whalefall.instances.models import Instance
from whalefall.words import said

# A stored pattern that ends in a lone backslash matches nothing, and LIKE would refuse it.
MATCHES_PATTERN = r"""EXISTS (
    SELECT FROM unnest({tokens}) AS token,
    LATERAL (SELECT substr(token, length({prefix}) + 1) AS quoted) AS cut,
    LATERAL (SELECT CASE WHEN left(quoted, 1) = '"'
        THEN replace(substr(quoted, 2, length(quoted) - 2), '""', '"') ELSE quoted END AS pattern
    ) AS bare
    WHERE starts_with(token, {prefix})
    AND CASE WHEN pattern ~ '(^|[^\\])(\\\\)*\\$' THEN false ELSE {name} LIKE pattern END)"""


class PatternMatches(Func):
    """Whether a token that begins with `prefix` goes on with a LIKE pattern for `name`.

    The tokens are an expression, not a column by name: inside another query the table has an alias.
    """

    output_field = BooleanField()

    def __init__(self, prefix: str, name: str) -> None:
        super().__init__(F("fact_tokens"), Value(prefix), Value(name))

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        parts = [compiler.compile(each) for each in self.get_source_expressions()]
        (words, first), (prefix, second), (name, third) = parts
        sql = MATCHES_PATTERN.format(tokens=words, prefix=prefix, name=name)
        return sql, [*first, *second, *second, *third]


class UnknownQuestion(ValueError):
    """What was asked for cannot be: the message says why and names the choices."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question in the words of one product."""

    db_type: str
    rules: Rules
    scope: Scope
    parts: tuple[str, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which an account has it. `needs_set_role`: the role to set first, or ""."""

    token: str
    path: list[str]
    needs_set_role: str
    text: str


class Access:
    """The answer to "who has `privilege` on `object_name`?".

    `scope` and `database` help where the name alone does not say it; `reach` adds who gets it by
    SET ROLE; PUBLIC is an account of its own in the answer unless `public` is False. Raises
    UnknownQuestion where no product of these instances knows such a right.
    """

    def __init__(
        self,
        privilege: str,
        object_name: str = "",
        *,
        scope: str = "",
        database: str = "",
        instances: QuerySet[Instance] | None = None,
        reach: bool = False,
        public: bool = True,
    ) -> None:
        self.privilege = " ".join(privilege.upper().split())
        self.reach, self.public = reach, public
        self.instances = Instance.objects.present() if instances is None else instances
        try:
            parts = names.parse(object_name)
        except ValueError as exc:
            raise UnknownQuestion(str(exc)) from exc
        self.asked = self._asked(parts, _scope(scope), database)

    def accounts(self) -> QuerySet[AccountPermission]:
        """Who has it, by instance and name, with account and instance at hand."""
        found = self._present().filter(self._matches())
        if not self.public:
            found = found.exclude(account__kind=Kind.PUBLIC)
        return found.select_related("account", "instance").defer("permission_snapshot")

    def ways(self, permission: AccountPermission) -> list[Way]:
        """How this account has it, the shortest way first."""
        asked = next(each for each in self.asked if each.db_type == permission.db_type)
        present = frozenset(permission.fact_tokens)
        found: dict[str, Way] = {}
        for reference in asked.references:
            for token in self._held(reference, present):
                found.setdefault(token, self._way(permission, token))
        return sorted(found.values(), key=lambda way: (bool(way.needs_set_role), len(way.path)))

    def understood(self) -> list[dict[str, str]]:
        """What the name was taken for, per product: `[{"db_type", "scope", "object"}]`. A name of
        two parts is database.table to one product and, with its default schema, another table to
        the next: who asks has to see which.
        """
        return [
            {
                "db_type": each.db_type,
                "scope": each.scope.value,
                "object": tokens.object_name(each.parts),
            }
            for each in self.asked
        ]

    def unknown(self) -> list[dict[str, object]]:
        """Where the answer may miss accounts: `[{"instance", "accounts"}]`, because a section that
        it needs could not be read there.
        """
        unread = self._present().filter(_any(map(_unread, self.asked))).exclude(self._matches())
        by_instance = unread.values("instance__name").annotate(accounts=Count("pk"))
        return [
            {"instance": row["instance__name"], "accounts": row["accounts"]}
            for row in by_instance.order_by("instance__name")
        ]

    def _present(self) -> QuerySet[AccountPermission]:
        return AccountPermission.objects.filter(
            account__is_active=True, instance__in=self.instances.order_by().values("pk")
        ).order_by("instance__name", "account__username", "pk")

    def _matches(self) -> Q:
        return _any(
            Q(db_type=asked.db_type) & _any(self._condition(asked.references))
            for asked in self.asked
        )

    def _condition(self, references: Sequence[Reference]) -> Iterator[Q]:
        """Plain tokens in one question to the index, the others one by one."""
        plain: list[str] = []
        for reference in references:
            token = _token(reference)
            for word in (token, tokens.reach(token)) if self.reach else (token,):
                if reference.pattern:
                    yield _matches_pattern(reference, word)
                elif reference.unless:
                    yield Q(fact_tokens__contains=[word]) & ~Q(
                        fact_tokens__overlap=_exceptions(reference, word)
                    )
                else:
                    plain.append(word)
        if plain:
            yield Q(fact_tokens__overlap=plain)

    def _held(self, reference: Reference, present: frozenset[str]) -> Iterator[str]:
        token = _token(reference)
        for word in (token, tokens.reach(token)) if self.reach else (token,):
            if reference.pattern:
                name = reference.parts[0]
                marks = _exceptions(reference, word)
                if not any(_is_match(each, mark, name) for each in present for mark in marks):
                    yield from (each for each in present if _is_match(each, f"{word}@", name))
            elif word in present and present.isdisjoint(_exceptions(reference, word)):
                yield word

    def _way(self, permission: AccountPermission, token: str) -> Way:
        known = permission.permission_facts
        step = known.get("reach", {}).get("paths", {}).get(token.removeprefix("reach:"), {})
        return Way(
            token,
            facts.path(known, token),
            step.get("set_role", "") if token.startswith("reach:") else "",
            facts.explain(permission.account.username, known, token, said),
        )

    def _asked(self, parts: tuple[str, ...], scope: Scope | None, database: str) -> list[Asked]:
        db_types = sorted(set(self.instances.order_by().values_list("db_type", flat=True)))
        rules = _rules(db_types)
        known = {name for each in rules.values() for of in each.privileges.values() for name in of}
        if rules and self.privilege not in known:
            raise UnknownQuestion(_unknown_privilege(self.privilege, known))
        found = [
            Asked(db_type, each, *place, tuple(each.covering(self.privilege, *place)))
            for db_type, each in rules.items()
            if (place := _place(each, self.privilege, parts, scope, database))
        ]
        if rules and not found:
            raise UnknownQuestion(_unknown_place(self.privilege, parts, rules.values()))
        return found


def _rules(db_types: Iterable[str]) -> dict[str, Rules]:
    """Of products that are not part of this version nothing can be stored."""
    found = {}
    for db_type in db_types:
        with suppress(LookupError):
            found[db_type] = engine(db_type).rules
    return found


def _place(
    rules: Rules, privilege: str, parts: tuple[str, ...], scope: Scope | None, database: str
) -> tuple[Scope, tuple[str, ...]] | None:
    """The scope and full name that are meant: as written, in `database`, in the default schema."""
    scopes = [scope] if scope else [each for each in Scope if each is not Scope.OTHER]
    for name in _readings(rules, parts, database):
        for each in scopes:
            fits = rules.name_parts.get(each, len(name)) == len(name)
            if fits and privilege in rules.privileges.get(each, ()):
                return each, name
    return None


def _readings(rules: Rules, parts: tuple[str, ...], database: str) -> Iterator[tuple[str, ...]]:
    if database:
        parts = (database, *parts)
    yield parts
    if rules.default_schema and len(parts) > 1:
        yield (parts[0], rules.default_schema, *parts[1:])


def _scope(text: str) -> Scope | None:
    if not text:
        return None
    try:
        return Scope(text.lower())
    except ValueError:
        choices = ", ".join(Scope)
        raise UnknownQuestion(
            _("Unknown scope: %(scope)s. Must be one of: %(choices)s.")
            % {"scope": text, "choices": choices}
        ) from None


def _unknown_privilege(privilege: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(privilege, known, n=3)
    message = _("Unknown privilege: %(name)s.") % {"name": privilege}
    return (
        f"{message} " + _("Did you mean %(near)s?") % {"near": ", ".join(near)} if near else message
    )


def _unknown_place(privilege: str, parts: tuple[str, ...], rules: Iterable[Rules]) -> str:
    scopes = {
        f"{Scope(scope)} ({each.name_parts.get(Scope(scope), '*')})"
        for each in rules
        for scope, known in each.privileges.items()
        if privilege in known
    }
    return _(
        "%(privilege)s is not given on an object of %(count)d name parts. "
        "Scopes that have it (parts of a name): %(scopes)s."
    ) % {"privilege": privilege, "count": len(parts), "scopes": ", ".join(sorted(scopes))}


def _token(reference: Reference) -> str:
    if reference.capability:
        return tokens.capability(reference.capability)
    if reference.pattern:
        return tokens.any_pattern(reference.scope, reference.privilege)
    return tokens.privilege(reference.scope, reference.privilege, reference.parts)


def _exceptions(reference: Reference, word: str) -> list[str]:
    found = [tokens.trait(reference.scope, reference.privilege, t) for t in reference.unless]
    return list(map(tokens.reach, found)) if word.startswith("reach:") else found


def _matches_pattern(reference: Reference, word: str) -> Q:
    """The index finds who has patterns at all, their tokens are then matched one by one."""
    name = reference.parts[0]
    matching = Q(PatternMatches(f"{word}@", name))
    for mark in _exceptions(reference, word):
        matching &= ~Q(PatternMatches(mark, name))
    return Q(fact_tokens__contains=[word]) & matching


def _is_match(token: str, prefix: str, database: str) -> bool:
    if not token.startswith(prefix):
        return False
    pattern = tokens.bare(token.removeprefix(prefix))
    wild = re.sub(
        r"\\(.)|(%)|(_)|(.)",
        lambda m: ".*" if m[2] else "." if m[3] else re.escape(m[1] or m[4]),
        pattern,
        flags=re.DOTALL,
    )
    return re.fullmatch(wild, database, re.DOTALL) is not None


def _unread(asked: Asked) -> Q:
    sections = asked.rules.sections_for_scope(asked.scope)
    words = [tokens.section(name, status) for name in sections for status in ("denied", "failed")]
    words += map(tokens.unread, sections)
    return Q(db_type=asked.db_type, fact_tokens__overlap=words)


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(operator.or_, conditions, Q(pk__in=()))
