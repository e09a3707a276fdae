import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AccountPermission
from classification.models import AccountClassificationAssignment as Assignment
from classification.models import ClassificationRule
from tests.classification import cast
from tests.classification.cast import call

pytestmark = pytest.mark.django_db

FACTS = {
    "version": 2,
    "capabilities": ["SUPERUSER"],
    "capability_reasons": {
        "SUPERUSER": {"because": "SUPER on *.*", "path": ["team_rw@%", "dba_role@%"]}
    },
    "paths": {"cap:SUPERUSER": ["team_rw@%", "dba_role@%"]},
}


@pytest.fixture
def orders():
    orders = cast.instance()
    cast.rule("superusers", cast.classification(), call("is_superuser"))
    dba = cast.account(orders, "dba_li@%", "cap:SUPERUSER")
    AccountPermission.objects.filter(pk=dba.pk).update(permission_facts=FACTS)
    cast.account(orders, "app_rw@%", "section.denied:global")
    return orders


def run(*args):
    out = StringIO()
    call_command("classify", *args, stdout=out)
    return out.getvalue()


def test_it_prints_a_line_per_rule_and_the_sum(orders):
    out = run()
    assert "superusers" in out
    assert "2 accounts, 2 changed; 1 rules: 1 added, 0 removed, 0 with other evidence" in out


def test_it_prints_json_for_programs(orders):
    found = json.loads(run("--json"))
    assert (found["accounts"], found["added"], found["failed"]) == (2, 1, 0)
    assert found["rules"][0]["unknown"] == 1


def test_one_instance_by_name(orders):
    cast.account(cast.instance("other"), "root@%", "cap:SUPERUSER")
    assert json.loads(run("--instance", "other", "--json"))["accounts"] == 1
    with pytest.raises(CommandError, match="No instance with the name or id nowhere"):
        run("--instance", "nowhere")


def test_without_rules_it_fails_with_one_line(orders):
    ClassificationRule.objects.update(is_active=False)
    with pytest.raises(CommandError, match="There is no active rule"):
        run()


def test_explain_shows_the_path_and_writes_nothing(orders):
    out = run("--explain", "dba_li@%")
    assert "dba_li@% -> team_rw@% -> dba_role@%: SUPERUSER (SUPER on *.*)" in out
    assert not Assignment.objects.exists()


def test_explain_names_what_could_not_be_read(orders):
    found = json.loads(run("--explain", "app_rw@%", "--json"))
    assert found == [
        {
            "rule": "superusers",
            "classification": "super_admin",
            "verdict": "unknown",
            "paths": [],
            "missing": ["global"],
        }
    ]


def test_explain_asks_for_the_instance_where_the_name_is_not_enough(orders):
    cast.account(cast.instance("other"), "dba_li@%")
    with pytest.raises(CommandError, match="name one with --instance"):
        run("--explain", "dba_li@%")
    assert json.loads(run("--explain", "dba_li@%", "--instance", "other", "--json"))
    with pytest.raises(CommandError, match="No synchronised account is called nobody"):
        run("--explain", "nobody")
