"""What PostgreSQL says by has_..._privilege and pg_has_role: anybody may ask about anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from whalefall.engines.errors import EngineError
from whalefall.engines.observed import Scope
from whalefall.engines.postgresql.databases import BY_DESIGN, Database, Reader
from whalefall.engines.postgresql.names import literal
from whalefall.engines.testimony import Answer, Testimony, Unasked

EVERYBODY = ("public",)


def testify(
    server: Reader, found: Sequence[Database], accounts: Sequence[str], objects: int
) -> Iterator[Testimony]:
    """One statement for the server and one for each database that lets us in."""
    roles = f"ARRAY[{', '.join(map(literal, accounts))}]::pg_catalog.name[]"

    def filled(name: str) -> str:
        return server.sql(name).replace("{roles}", roles).replace("{objects}", str(objects))

    yield from map(_of_server, server.session.rows(filled("said_server")))
    for database in found:
        if database.name == BY_DESIGN:
            continue
        if database.reason:
            yield Unasked(database.name, database.reason, database.remedy)
            continue
        try:
            with server.connected_to(database.name) as session:
                for row in session.rows(filled("said_objects")):
                    yield _in_database(database.name, row)
        except EngineError as exc:
            yield Unasked(database.name, exc.args[0], exc.remedy)


def _of_server(row: tuple[Any, ...]) -> Answer:
    account, scope, said_by, what, name, holds = row
    if scope == "role":
        return Answer(account, holds, said_by, role=what)
    return Answer(
        account, holds, said_by, what, Scope(scope), (name,), publics=EVERYBODY, owners=False
    )


def _in_database(database: str, row: tuple[Any, ...]) -> Answer:
    account, scope, said_by, privilege, *names, holds = row
    parts = (database, *(name for name in names if name is not None))
    return Answer(
        account, holds, said_by, privilege, Scope(scope), parts, publics=EVERYBODY, owners=False
    )
