"""Changes of accounts and the snapshots before them go together, and the accounts say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.as_of import State, as_of
from accounts.collection import apply
from accounts.models import InstanceAccount
from sync import pruning
from tests.accounts.world import PlainRules, account, grant, observe
from tests.sync import cast

pytestmark = pytest.mark.django_db
NAMES = {40: "SUPER", 20: "FILE", 5: "PROCESS"}


@pytest.fixture
def app():
    """Given another right 40, 20 and 5 days ago."""
    on, now = cast.instance(), timezone.now()
    for days, name in NAMES.items():
        seen = observe(account("app"), grant("app", name))
        apply(on, seen, rules=PlainRules(), now=now - timedelta(days=days))
    return InstanceAccount.objects.get(username="app")


def told(found, days):
    return as_of(found, timezone.now() - timedelta(days=days))


def test_nothing_goes_unless_told(app):
    done = pruning.prune()
    assert (done["changes"], done["snapshots"]) == (0, 0)
    assert told(app, 39).state is State.PRESENT


def test_what_is_older_than_told_goes_and_is_told_as_unknown(app, settings):
    settings.KEEP_CHANGES = 10
    done = pruning.prune()
    assert (done["changes"], done["snapshots"]) == (2, 1)
    assert told(app, 30).state is State.UNKNOWN
    (held,) = told(app, 4).snapshot["categories"]["grants"]
    assert held["privilege"] == "PROCESS"
