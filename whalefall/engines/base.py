"""The contract of an engine: how a product is connected to, read, and what its grants mean.

An engine is one folder: `engine.py` (Engine and Server: connect, observe), `rules.py` (Rules:
pure), `sql/*.sql`, `hidden.yaml`. `ENGINES` in `whalefall.engines` lists them; nothing outside
asks for one by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from whalefall.engines.errors import PermissionDenied, StatementTimeout
from whalefall.engines.observed import (
    NOTHING,
    Kind,
    Observation,
    ObservedAccount,
    ObservedDatabase,
    ObservedGrant,
    ObservedMembership,
    ObservedTable,
    ObservedVolume,
    Probe,
    Scope,
    Section,
    SectionStatus,
)
from whalefall.engines.sharing import Sharing
from whalefall.engines.testimony import Testimony

COLLECTOR = "collector"
"""The setting of an observation that names the account it was read with."""

Path_ = tuple[str, ...]
"""How a right reaches an account: the roles passed, nearest first; empty where it is the account's
own.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where and as whom to connect. `tls_mode`: off, require, verify-ca, verify-full. Timeouts in
    seconds.

    The password is left out of the repr, so that it cannot reach a log or a traceback by accident.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str = ""
    tls_mode: str = "require"
    tls_ca: str = ""
    connect_timeout: int = 5
    statement_timeout: int = 60
    options: Mapping[str, str] = field(default_factory=dict)


class Server:
    """An open connection to one watched server. Reads only.

    Every `observe_*` is a generator over a constant number of statements (plus a constant per
    database where the catalog is per database); when it is exhausted, `sections` says how each
    part ended. `statements` counts what was sent to the server.
    """

    db_type: ClassVar[str]

    def __init__(self, target: Target) -> None:
        self.target = target
        self.sections: dict[str, Section] = {}
        self.settings: dict[str, str] = {}
        self.version = ""
        self.main_version = ""
        self.statements = 0

    def probe(self) -> Probe:
        """Version, and what this login may not read. Raises EngineError when the server cannot
        answer.
        """
        raise NotImplementedError

    def observe_accounts(self) -> Iterator[ObservedAccount]:
        """Every principal, PUBLIC included. Raises EngineError when the list cannot be read in
        full.
        """
        raise NotImplementedError

    def observe_memberships(self) -> Iterator[ObservedMembership]:
        raise NotImplementedError

    def observe_grants(self) -> Iterator[ObservedGrant]:
        """Every privilege in every scope, ownership included."""
        raise NotImplementedError

    def observe_databases(self) -> Iterator[ObservedDatabase]:
        """Every database with its size, or with the reason why there is none. Sections: `databases`
        (complete: what is not named is gone) and `sizes`.
        """
        raise NotImplementedError

    def observe_tables(self, database: str) -> Iterator[ObservedTable]:
        raise NotImplementedError

    def observe_volumes(self) -> Iterator[ObservedVolume]:
        """The volumes that hold databases. Section: `volumes`; there is none where the product has
        no way to tell.
        """
        return iter(())

    def testify(
        self, observation: Observation, accounts: Sequence[str], objects: int = 50
    ) -> Iterator[Testimony]:
        """What the server itself says about these accounts (names of the observation), in its own
        words; of each kind of thing at most `objects` per database are asked for. Reads only.
        """
        raise NotImplementedError

    @contextmanager
    def section(self, name: str, remedy: str = "") -> Iterator[None]:
        """Record how the reading of a part ended. Denied and timed out are recorded; the rest is
        raised.
        """
        self.sections[name] = Section(name)
        try:
            yield
        except PermissionDenied as exc:
            self.sections[name] = Section(
                name, SectionStatus.DENIED, exc.args[0], exc.remedy or remedy
            )
        except StatementTimeout as exc:
            self.sections[name] = Section(name, SectionStatus.FAILED, exc.args[0], remedy)

    def reads_as(self) -> str:
        """The account, by its name on the instance, that this connection reads with; "" unknown."""
        return ""

    def observe(self) -> Observation:
        """Everything about accounts and privileges, in one value that outlives the connection."""
        observation = Observation(db_type=self.db_type)
        sharing = Sharing()
        for account in sharing.accounts(self.observe_accounts()):
            observation.accounts[account.username] = account
        observation.memberships.extend(sharing.memberships(self.observe_memberships()))
        observation.add_grants(sharing.grants(self.observe_grants()))
        observation.version, observation.main_version = self.version, self.main_version
        observation.settings = {**self.settings, COLLECTOR: self.reads_as()}
        observation.sections = dict(self.sections)
        return observation


@dataclass(frozen=True, slots=True)
class Held:
    """A grant as it reaches an account, with the roles it came through."""

    grant: ObservedGrant
    path: Path_ = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """Everything that takes effect for one account at login: the input of `Rules.capabilities`.

    `roles`: role -> the path that leads to it, ending with the role itself. `admin_of`: role -> the
    path to the one who may give it on, empty where that is the account's own right.
    """

    account: ObservedAccount
    roles: Mapping[str, Path_]
    admin_of: Mapping[str, Path_]
    privileges: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Capability:
    """`name` holds because of `because` (`CREATE USER on *.*`), which came by `path`."""

    name: str
    because: str
    path: Path_ = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """One way in which a privilege on an object may be given: an entry that would cover it.

    `parts` are the names as in `ObservedGrant.parts`. `capability` instead of a privilege where
    holding it is enough (a superuser). `pattern`: stored database patterns are to be matched
    against `parts[0]`. `unless`: where the account's entry bears one of these traits it does not
    cover the object after all (a partial revoke, a denial); with `pattern` the beginnings of traits
    that go on with a pattern, which is matched against `parts[0]` too.
    """

    scope: Scope
    privilege: str = ""
    parts: tuple[str, ...] = ()
    capability: str = ""
    pattern: bool = False
    unless: tuple[str, ...] = ()


class Rules:
    """What memberships and grants *mean* in this product. Pure: no I/O, no clock, no ORM."""

    privileges: ClassVar[Mapping[str, tuple[str, ...]]] = NOTHING
    """Per scope, the privileges this product knows: what a rule may name and a form may offer."""

    name_parts: ClassVar[Mapping[Scope, int]] = {
        Scope.GLOBAL: 0,
        Scope.SERVER: 0,
        Scope.SYSTEM: 0,
        Scope.DATABASE: 1,
        Scope.TABLESPACE: 1,
        Scope.SCHEMA: 2,
        Scope.TABLE: 3,
        Scope.COLUMN: 4,
        Scope.ROUTINE: 3,
        Scope.SEQUENCE: 3,
    }
    """Of how many parts a full name consists, per scope; `other` may have any number."""

    default_schema: ClassVar[str] = ""
    """The schema that is meant where a name leaves it out; empty where there is none."""

    capabilities_known: ClassVar[tuple[str, ...]] = ()
    """The capabilities that can hold in this product."""

    accounts_have_host: ClassVar[bool] = False
    """Whether an account is `user@host`: where it may come from is part of its name."""

    personal: ClassVar[tuple[str, ...]] = (
        "LOCKED",
        "NO_PASSWORD",
        "PASSWORD_EXPIRED",
        "ANY_HOST",
        "COLLECTOR",
    )
    """Capabilities that tell about an account and give no power: never gained by SET ROLE."""

    def memberships(self, observation: Observation) -> Iterable[ObservedMembership]:
        """The memberships with the server's own rules applied (mandatory roles, activation at
        login).
        """
        return observation.memberships

    def applies(self, membership: ObservedMembership) -> bool:
        """Whether the role's rights take effect for the member at login."""
        return membership.inherit and membership.default

    def reachable(self, membership: ObservedMembership) -> bool:
        """Whether the member may take on the role by an explicit step (SET ROLE)."""
        return membership.set

    def resolve(
        self, account: ObservedAccount, held: Sequence[Held], observation: Observation
    ) -> Sequence[Held]:
        """What remains of the grants after denials, restrictions and implications; revokes leave
        no row.
        """
        return held

    def capabilities(self, principal: Principal, observation: Observation) -> Iterable[Capability]:
        """Which capabilities hold, each with its reason. The shortest path is to come first."""
        raise NotImplementedError

    def covering(self, privilege: str, scope: Scope, parts: tuple[str, ...]) -> Iterable[Reference]:
        """Every entry that would give `privilege` on the object `parts`: itself, wider ones,
        ownership, power.
        """
        yield Reference(scope, privilege, parts)

    def revoke_role(self, role: str, member: str, admin_only: bool = False) -> str:
        """The statement that takes a role from a member, or only the right to give it on, for
        people to read. "" where unsaid, and where the member is in it by nature (a login in its
        user of a database): the next membership of the path is then the one to take.
        """
        return ""

    def revoke(
        self,
        grantee: str,
        privilege: str,
        scope: str,
        parts: tuple[str, ...],
        option_only: bool = False,
    ) -> str:
        """The statement that takes a privilege away (`scope` as in the tokens, `.pattern`
        included), or only the right to give it on; "" where the names do not say enough for one.
        """
        return ""

    def sections_for_scope(self, scope: Scope) -> tuple[str, ...]:
        """The sections that must be complete before a missing privilege at `scope` means "does not
        have it".
        """
        return (scope.value, "memberships")

    def sections_for_capability(self, name: str) -> tuple[str, ...]:
        """The sections that must be complete before a missing capability means "does not have
        it".
        """
        return ("accounts", "global", "memberships")

    def sections_for_role(self) -> tuple[str, ...]:
        return ("memberships",)


class Engine:
    """One product: how to connect to it, what its grants mean, what its collector needs."""

    db_type: ClassVar[str]
    label: ClassVar[str]
    default_port: ClassVar[int]
    default_database: ClassVar[str] = ""
    rules: ClassVar[Rules]
    folder: ClassVar[Path]

    def connect(self, target: Target) -> AbstractContextManager[Server]:
        """An open server, closed again on exit. Raises ConnectError with the cause and the
        remedy.
        """
        raise NotImplementedError

    def collector_grants(self, login: str = "whalefall", version: str = "") -> str:
        """The SQL script with the least rights a collector needs, ready to paste (password left
        out).
        """
        raise NotImplementedError


__all__ = [
    "COLLECTOR",
    "Capability",
    "Engine",
    "Held",
    "Kind",
    "Principal",
    "Reference",
    "Rules",
    "Server",
    "Target",
]
