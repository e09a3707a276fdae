"""`manage.py accounts` knows the classifications and risks, without those that are accepted."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classification import risks
from classification.classify import classify
from classification.models import AccountClassification, RiskException
from tests.classification import cast
from tests.classification.cast import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders():
    """A critical `dba_li`, a low `reader`, an `app_rw` without any risk."""
    orders = cast.instance()
    cast.rule("dbas", cast.classification("dba", risk_level="critical"), call("is_superuser"))
    reads = call("has_privilege", name="SELECT", scope="global")
    cast.rule("readers", cast.classification("reads_all", risk_level="low"), reads)
    cast.account(orders, "dba_li@%", "cap:SUPERUSER")
    cast.account(orders, "reader@%", "priv:global:SELECT")
    cast.account(orders, "app_rw@%")
    classify()
    return orders


def accept_dba():
    RiskException.objects.create(
        username_pattern="dba*",
        classification=AccountClassification.objects.get(name="dba"),
        reason="one person",
        approver="Li",
        ends_on=risks.today(),
    )


def run(*options):
    out = StringIO()
    call_command("accounts", *options, stdout=out)
    return out.getvalue()


def names(*options):
    return [row["username"] for row in json.loads(run("--json", *options))]


def test_the_list_shows_risk_and_classifications(orders):
    rows = {row["username"]: row for row in json.loads(run("--json"))}
    found = {name: (row["risk"], row["classifications"]) for name, row in rows.items()}
    assert found == {
        "app_rw@%": (None, []),
        "dba_li@%": ("critical", ["dba"]),
        "reader@%": ("low", ["reads_all"]),
    }
    assert "critical" in run()


def test_the_list_is_narrowed_to_a_classification_and_to_risks(orders):
    reads_all = AccountClassification.objects.get(name="reads_all")
    assert names("--classification", "dba") == ["dba_li@%"]
    assert names("--classification", str(reads_all.pk)) == ["reader@%"]
    assert names("--risk", "critical") == ["dba_li@%"]
    assert names("--risk", "critical, low") == ["dba_li@%", "reader@%"]
    assert names("--risk", "low", "--classification", "dba") == []


def test_an_accepted_risk_is_none_and_the_classification_stays(orders):
    accept_dba()
    assert names("--risk", "critical") == []
    assert names("--risk", "accepted") == names("--classification", "dba") == ["dba_li@%"]
    assert "accepted" in run("--classification", "dba")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--risk", "enormous"), "Unknown risk: enormous. Must be one of: accepted, critical"),
        (("--classification", "nope"), "No classification with the name or id nope."),
    ],
)
def test_an_unknown_name_is_one_clear_line(orders, options, message):
    with pytest.raises(CommandError) as caught:
        run(*options)
    assert message in str(caught.value)


def test_the_number_of_queries_does_not_grow(orders):
    counts = []
    for more in range(2):
        for i in range(more * 8):
            cast.account(orders, f"dba_{i}@%", "cap:SUPERUSER")
        classify()
        with CaptureQueriesContext(connection) as queries:
            run("--json", "--risk", "critical")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_demo_tells_accepted_risks_apart(orders):
    from demo import show

    accept_dba()
    found = [each.account.account.username for each in show.assignments(["orders-db"])]
    assert found == ["reader@%"]
    (accepted,) = show.assignments(["orders-db"], accepted=True)
    assert accepted.account.account.username == "dba_li@%"
