"""Random worlds: every right of every account, as stored, against what it is let do.

Each account logs in, from several addresses, and tries. `WHALEFALL_WORLDS=50` makes that many
worlds on each server (`make fuzz-privileges`), from `WHALEFALL_WORLDS_SEED` on; a failure names
the seed and the statements that led to it.
"""

from __future__ import annotations

import os

import MySQLdb
import pytest

from accounts import tokens
from accounts.access import Access
from accounts.collection import apply
from accounts.models import AccountPermission
from sync.verification import compare
from tests.live.asked import Asked
from tests.live.mysql.conftest import observe
from tests.live.mysql.from_address import coming_from
from tests.live.mysql.world import ADDRESSES, DATABASES, USERS, World, trials
from whalefall.engines import engine
from whalefall.engines.mysql.names import account_name
from whalefall.engines.observed import Scope
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db]

RULES = engine("mysql").rules
MANY = "WHALEFALL_WORLDS" in os.environ
WORLDS = int(os.environ.get("WHALEFALL_WORLDS", "1"))
SEED = int(os.environ.get("WHALEFALL_WORLDS_SEED", "20261122"))
STEPS = 120


@pytest.mark.parametrize("seed", range(SEED, SEED + WORLDS))
def test_every_account_of_a_random_world_may_do_what_its_facts_say(server, seed, request):
    kind = request.node.callspec.params["server"]
    world = World(server, kind, seed)
    instance = Instance.objects.create(name=f"world-{seed}", db_type="mysql", host="w", port=1)
    try:
        world.build()
        for _ in range(2 if MANY else 1):
            for _ in range(STEPS):
                world.step()
            if world.is_mariadb:  # roles inside roles are in order only after it
                world.run("FLUSH PRIVILEGES")
            apply(instance, observe(server))
            wrong, compared = differences(server, instance)
            if wrong:
                told = [f"took: {each}" for each in world.done if not each.startswith("CREATE")]
                told += [f"differs: {each}" for each in wrong[:30]]
                lines = "\n".join(told)
                pytest.fail(f"seed {seed}, {len(wrong)} differ:\n{lines}", pytrace=False)
            assert compared > 300
    finally:
        world.clean()


def differences(server, instance) -> tuple[list[object], int]:
    found = AccountPermission.objects.filter(instance=instance)
    rows = found.values_list("account__username", "fact_tokens")
    asked = Asked(dict(rows), RULES)
    wrong, compared = in_its_own_words(server)
    wrong += of_pages(instance, asked)
    for address in ADDRESSES:
        with coming_from(address, server.port) as port:
            for user in (*USERS, "nobody"):
                for account, tried in logged_in(server, user, port):
                    compared += len(tried)
                    wrong += [(address, *each) for each in of_account(asked, account, tried)]
    return wrong, compared


def in_its_own_words(server):
    """SHOW GRANTS of every account, as `verify_engine` compares it."""
    with engine("mysql").connect(server.target()) as opened:
        seen = opened.observe()
        found = compare(seen, RULES, opened.testify(seen, list(seen.accounts)))
    unasked = [each for each in found.unasked if "'" not in each.subject]  # 5.6 escapes no quote
    return [*found.differences, *unasked], found.compared


def of_pages(instance, asked):
    """The page "who has" says of every account what its tokens say, patterns and all."""
    here = Instance.objects.filter(pk=instance.pk)
    for privilege in ("SELECT", "CREATE", "DELETE"):
        for database in DATABASES:
            page = Access(privilege, tokens.object_name((database,)), scope="database",
                          instances=here)  # fmt: skip
            found = set(page.accounts().values_list("account__username", flat=True))
            known = {
                name
                for name in asked.tokens_of
                if asked.may(name, privilege, Scope.DATABASE, (database,))
            }
            shown = {each.account.username for each in page.accounts() if page.ways(each)}
            if found != known or shown != known:
                yield privilege, database, found ^ known, shown ^ known


def logged_in(server, user, port):
    """The account that a client with this name gets, and what it may do; nothing where none."""
    try:
        connection = MySQLdb.connect(host="127.0.0.1", port=port, user=user or "somebody")
    except MySQLdb.OperationalError:
        return
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT CURRENT_USER()")
        name, _, host = cursor.fetchone()[0].rpartition("@")
        cursor.close()
        yield account_name(name, host), trials(server, connection)
    finally:
        connection.close()


def of_account(asked, account, tried):
    """What PUBLIC has, everybody has: it stands on PUBLIC only. (Where a row of one's own comes
    before that of the user without a name, PUBLIC's does not count: known, and not looked at.)
    """
    for privilege, scope, names, allowed in tried:
        mine = asked.may(account, privilege, Scope(scope), names)
        everybodys = asked.may("PUBLIC", privilege, Scope(scope), names)
        if (mine and not allowed) or (allowed and not (mine or everybodys)):
            yield account, privilege, scope, names, f"server says {allowed}", mine, everybodys
