"""The words of the token index (`account_permission.fact_tokens`): one place that writes them.

    db_type:mysql  kind:user  cap:SUPERUSER  role:dba  role.direct:dba
    priv:global:FILE  priv:database:SELECT  priv:database:SELECT@sales
    priv:table:UPDATE@sales.orders  priv:database.pattern:SELECT@sal%
    grantable:table:UPDATE@sales.orders  section.denied:table  section.failed:routine
    role.admin:dba  role.admin  trait:routine:EXECUTE:security_definer
    section.unread:table  section.unread:table@sales
    reach:cap:SUPERUSER  reach:role:dba  reach:priv:global:FILE

Every privilege stands twice: with its object, and without ("anywhere in this scope"); on a pattern
a third time (`priv:database.pattern:SELECT`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from whalefall.engines.observed import Scope, SectionStatus

# A GIN index takes entries up to about 2,700 bytes; longer names keep their head and a digest.
LONGEST = 1500
# What `accounts.names` takes for itself as it stands: a name, perhaps with a routine's arguments.
PLAIN = re.compile(r"(?!\s)[^.\"@`\[(]+(?:\([^.\"@`\[()]*\)|(?<!\s))")


def object_name(parts: Iterable[str]) -> str:
    """`sales.orders`; a part that could be taken for something else is quoted as in SQL: one that
    is empty or `*`, holds `.`, `@`, a quote or a bracket, begins or ends with a space.
    """
    return ".".join(_part(part) for part in parts)


def _part(name: str) -> str:
    if name != "*" and PLAIN.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def bare(part: str) -> str:
    """The name that one part of an `object_name` stands for."""
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def parts(name: str) -> tuple[str, ...]:
    """The parts of which `object_name` made a name."""
    found = re.findall(r'("(?:[^"]|"")*"|[^."]+)(?:\.|$)', name)
    return tuple(bare(part) for part in found)


def engine(db_type: str) -> str:
    return f"db_type:{db_type}"


def kind(name: str) -> str:
    return f"kind:{name}"


def capability(name: str) -> str:
    return f"cap:{name}"


def role(name: str, direct: bool = False) -> str:
    """`role:` counts roles held through roles too, `role.direct:` only the account's own."""
    return _fit(f"role.direct:{name}" if direct else f"role:{name}")


def role_admin(name: str = "") -> str:
    """May give the role on; without a name: some role."""
    return _fit(f"role.admin:{name}" if name else "role.admin")


def trait(scope: Scope | str, name: str, mark: str) -> str:
    """Holds `name` on an object with this trait; in scope `other` its type counts as one."""
    return f"trait:{scope}:{name}:{mark}"


def privilege(
    scope: Scope | str, name: str, parts: Iterable[str] = (), pattern: bool = False
) -> str:
    return _placed("priv", scope, name, parts, pattern)


def any_pattern(scope: Scope | str, name: str) -> str:
    """Stands beside each privilege on a pattern: finds them without reading the others."""
    return f"priv:{scope}.pattern:{name}"


def grantable(
    scope: Scope | str, name: str, parts: Iterable[str] = (), pattern: bool = False
) -> str:
    return _placed("grantable", scope, name, parts, pattern)


def section(name: str, status: SectionStatus | str) -> str:
    return f"section.{status}:{name}"


def unread(name: str, database: str = "") -> str:
    """The section was not complete in this database alone; without a name: in some, named ones."""
    return _fit(f"section.unread:{name}" + (f"@{object_name((database,))}" if database else ""))


def incomplete(name: str, status: SectionStatus | str, databases: Iterable[str]) -> list[str]:
    """What a section that is not complete leaves: where it names the `databases` that could not be
    read, everything else of it is certain.
    """
    words = [unread(name, database) for database in databases]
    return [unread(name), *words] if words else [section(name, status)]


def reach(token: str) -> str:
    """The token of what an account may take on by an explicit step, never holds at login."""
    return f"reach:{token}"


def _placed(word: str, scope: Scope | str, name: str, parts: Iterable[str], pattern: bool) -> str:
    placed = object_name(parts)
    mark = ".pattern" if pattern and placed else ""
    return _fit(f"{word}:{scope}{mark}:{name}" + (f"@{placed}" if placed else ""))


def _fit(token: str) -> str:
    raw = token.encode()
    if len(raw) <= LONGEST:
        return token
    head = raw[: LONGEST - 70].decode(errors="ignore")
    return f"{head}#{hashlib.sha256(raw).hexdigest()}"
