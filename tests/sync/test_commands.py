"""The commands of instances and sessions, as a person or a program runs them."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ, Schedule

from accounts.models import AccountChangeLog, InstanceAccount
from capacity.models import InstanceDatabase
from sync import jobs
from sync.models import SyncSession
from tags.models import Tag
from tests.sync import cast
from tests.sync.cluster import cluster
from whalefall.instances.models import Credential, Instance

on_a_server = pytest.mark.django_db(transaction=True)


def run(*words, **options):
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def run_json(*words):
    return json.loads(run(*words, "--json"))


ADD = ("add_instance", "orders-db", "--engine", "mysql", "--host", "10.0.0.1")
LOGIN = ("--username", "whalefall", "--password-env", "ORDERS_PASSWORD")


@pytest.mark.django_db
class TestAddInstance:
    def test_it_registers_an_instance_with_its_credential(self, monkeypatch):
        monkeypatch.setenv("ORDERS_PASSWORD", "s3cret")
        said = run(*ADD, *LOGIN, "--tag", "prod", "--tag", "eu")
        assert said.startswith("orders-db is registered.")
        instance = Instance.objects.get()
        assert (instance.port, instance.tls_mode) == (3306, "require")
        assert (instance.credential.username, instance.credential.password) == (
            "whalefall",
            "s3cret",
        )
        assert {tag.name for tag in instance.tags.all()} == {"prod", "eu"}

    def test_it_takes_a_stored_credential(self):
        cast.credential()
        assert run_json(*ADD, "--credential", "collector")["name"] == "orders-db"
        assert Instance.objects.get().credential.name == "collector"

    def test_a_variable_that_is_not_set_is_named(self):
        with pytest.raises(CommandError, match="variable ORDERS_PASSWORD is not set or empty"):
            run(*ADD, *LOGIN)

    def test_nobody_to_ask_for_the_password_is_said_so(self):
        with pytest.raises(CommandError, match="give --password-env"):
            run(*ADD, "--username", "whalefall")

    def test_a_name_that_is_taken_leaves_no_credential_behind(self, monkeypatch):
        monkeypatch.setenv("ORDERS_PASSWORD", "s3cret")
        cast.instance("orders-db")
        with pytest.raises(CommandError, match="name: Instance with this Name already exists"):
            run(*ADD, *LOGIN)
        assert not Credential.objects.filter(name="orders-db").exists()

    def test_a_ca_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(CommandError, match=r"Cannot read .*no-ca\.pem: "):
            run(*ADD, *LOGIN, "--ca", str(tmp_path / "no-ca.pem"))


@pytest.mark.django_db
class TestImportInstances:
    def file(self, tmp_path, *rows):
        path = tmp_path / "fleet.csv"
        path.write_text("\n".join(("name,db_type,host,tags", *rows)) + "\n")
        return str(path)

    def test_it_imports_all_rows(self, tmp_path):
        path = self.file(tmp_path, "a,mysql,h1,prod", "b,mysql,h2,prod;eu")
        assert run("import_instances", path) == "2 instances imported.\n"
        assert Tag.objects.get(name="prod").instances.count() == 2

    def test_checking_writes_nothing(self, tmp_path):
        path = self.file(tmp_path, "a,mysql,h1,prod")
        assert run("import_instances", path, "--check") == "1 rows can be imported.\n"
        assert not Instance.objects.exists()
        assert not Tag.objects.exists()

    def test_with_errors_it_imports_nothing_and_shows_them_all(self, tmp_path):
        path = self.file(tmp_path, "a,mysql,h1,", "b,mongodb,h2,", "c,mysql,,")
        errors = io.StringIO()
        with pytest.raises(CommandError, match="2 errors: nothing was imported"):
            run("import_instances", path, stderr=errors)
        assert errors.getvalue().splitlines() == [
            "line 3, db_type: Value 'mongodb' is not a valid choice.",
            "line 4, host: This field cannot be blank.",
        ]
        assert not Instance.objects.exists()

    def test_a_file_that_is_no_text_is_said_so(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(CommandError, match=r"Cannot read .*x\.csv"):
            run("import_instances", str(path))


@pytest.mark.live
@on_a_server
class TestConnections:
    def test_it_says_who_answers(self, orders_db):
        assert run("test_connection", "orders-db").startswith("MariaDB 10.")
        assert run_json("test_connection", str(orders_db.pk))["success"] is True

    def test_a_failure_is_one_line_with_the_remedy(self, orders_db):
        orders_db.credential.password = "wrong"
        orders_db.credential.save()
        with pytest.raises(CommandError, match="Check the user name and the password"):
            run("test_connection", "orders-db")

    def test_an_unknown_name_is_said_so(self, db):
        with pytest.raises(CommandError, match="No instance with the name or id nowhere"):
            run("test_connection", "nowhere")

    def test_the_printed_grants_make_a_login_that_reads_everything(self, orders_db, mariadb):
        script = run(
            "collector_grants", "mysql", "--login", "reader", "--server-version", "10.11-MariaDB"
        )
        lines = [line for line in script.splitlines() if not line.startswith("--")]
        statements = "\n".join(lines).replace("<password>", "reads").split(";")
        mariadb.execute(*(each for each in statements if each.strip()))
        orders_db.credential = cast.credential("reader", username="reader", password="reads")
        orders_db.save()
        assert run_json("test_connection", "orders-db")["missing"] == []
        assert run_json("sync", "accounts", "orders-db", "--inline")["status"] == "completed"


@pytest.mark.live
@on_a_server
class TestSync:
    def test_inline_it_reads_what_is_named(self, orders_db):
        cast.instance("other-db")
        said = run_json("sync", "accounts", "orders-db", "--inline")
        (record,) = said["records"]
        assert (said["status"], record["instance_name"], record["status"]) == (
            "completed",
            "orders-db",
            "completed",
        )
        assert InstanceAccount.objects.count() == record["items_synced"] > 0

    def test_capacity_measures_instead(self, orders_db):
        said = run_json("sync", "capacity", "orders-db", "--inline")
        assert SyncSession.objects.get().sync_category == "capacity"
        assert InstanceDatabase.objects.count() == said["records"][0]["items_synced"] > 0
        assert not InstanceAccount.objects.exists()

    def test_a_failed_instance_is_an_error_after_the_others_are_done(self, orders_db):
        cast.instance("nowhere-db")
        out = io.StringIO()
        with pytest.raises(CommandError, match="1 of 2 instances failed"):
            call_command("sync", "accounts", "--all", "--inline", "--json", stdout=out)
        states = {
            each["instance_name"]: each["status"] for each in json.loads(out.getvalue())["records"]
        }
        assert states == {"orders-db": "completed", "nowhere-db": "failed"}

    def test_the_table_says_why(self, orders_db):
        out = io.StringIO()
        cast.instance("nowhere-db")
        with pytest.raises(CommandError):
            call_command("sync", "accounts", "nowhere-db", "--inline", stdout=out)
        assert "nowhere-db.invalid" in out.getvalue()

    def test_a_tag_chooses(self, orders_db):
        cast.instance("other-db")
        Tag.objects.create(name="prod", display_name="prod").instances.add(orders_db)
        said = run_json("sync", "accounts", "--tag", "prod", "--inline")
        assert [each["instance_name"] for each in said["records"]] == ["orders-db"]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ((), "Which instances"),
            (("nowhere",), "No instance with the name or id nowhere"),
            (("--tag", "prod"), "No watched instance has the tag prod"),
        ],
    )
    def test_nothing_to_do_is_an_error(self, db, words, message):
        with pytest.raises(CommandError, match=message):
            run("sync", "accounts", *words)
        assert not SyncSession.objects.exists()

    def test_without_waiting_it_says_the_session(self, orders_db):
        said = run_json("sync", "accounts", "--all", "--no-wait")
        assert str(SyncSession.objects.get().session_id) == said["session_id"]
        assert OrmQ.objects.count() == 1

    def test_it_waits_for_the_workers(self, orders_db):
        with cluster():
            said = run_json("sync", "accounts", "orders-db")
        assert said["status"] == "completed"
        assert AccountChangeLog.objects.exists()


@pytest.mark.django_db
class TestJobs:
    def test_they_are_there_after_migrate(self):
        assert {row["name"]: row["cron"] for row in run_json("jobs", "list")} == {
            "sync_accounts": "0 1 * * *",
            "calculate_account": "0 2 * * *",
            "sync_databases": "0 3 * * *",
            "calculate_database": "0 4 * * *",
            "reap_records": "* * * * *",
            "send_notifications": "* * * * *",
            "prune_history": "0 5 * * *",
        }

    def test_a_paused_job_is_passed_over_until_it_is_resumed(self):
        assert run("jobs", "pause", "sync_accounts") == "sync_accounts is paused.\n"
        assert jobs.is_paused(jobs.schedule("sync_accounts"))
        assert run("jobs", "resume", "sync_accounts").startswith("sync_accounts runs again, next")
        assert not jobs.is_paused(jobs.schedule("sync_accounts"))

    def test_a_changed_time_outlives_the_next_migrate(self):
        run("jobs", "cron", "sync_accounts", "30 3 * * 1")
        assert jobs.create_schedules() == 0
        assert Schedule.objects.get(name="sync_accounts").cron == "30 3 * * 1"

    @pytest.mark.parametrize("expression", ["99 1 * * *", "daily", "* * * * * *", ""])
    def test_what_is_no_cron_is_refused(self, expression):
        with pytest.raises(CommandError):
            run("jobs", "cron", "sync_accounts", expression)
        assert jobs.schedule("sync_accounts").cron == "0 1 * * *"

    def test_running_one_queues_it_and_says_when_nobody_is_there(self):
        said = run("jobs", "run", "reap_records")
        assert said == "reap_records is queued, but no worker is alive: start manage.py qcluster.\n"
        assert OrmQ.objects.get().task["func"] == "sync.tasks.reap_records"

    def test_an_unknown_job_names_the_choices(self):
        with pytest.raises(CommandError, match=r"Unknown job: x\. Must be one of: sync_accounts, "):
            run("jobs", "run", "x")
