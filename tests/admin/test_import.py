"""Instances from a CSV file, in the console."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from whalefall.instances.models import Instance
from whalefall.models import AuditEntry

pytestmark = pytest.mark.django_db
URL = "/admin/instances/instance/import/"
HEADER = "name,db_type,host,tags\n"
GOOD = HEADER + "orders-db,mysql,10.0.0.1,gold;west\nstock-db,postgresql,10.0.0.2,\n"
MIXED = GOOD + "bad-db,mongodb,10.0.0.3,\n"


def send(client, text, step="import", **fields):
    file = SimpleUploadedFile("fleet.csv", text.encode(), "text/csv")
    return client.post(URL, {"file": file, "step": step, **fields}, follow=True)


def names():
    return sorted(Instance.objects.values_list("name", flat=True))


def test_a_good_file_becomes_instances_with_tags(administrator):
    page = send(administrator, GOOD).content.decode()
    assert "2 instances imported." in page
    assert names() == ["orders-db", "stock-db"]
    tags = Instance.objects.get(name="orders-db").tags.values_list("name", flat=True)
    assert sorted(tags) == ["gold", "west"]
    assert AuditEntry.objects.filter(action__contains="import").exists()


def test_a_check_creates_nothing_and_says_what_would_be(administrator):
    page = send(administrator, GOOD, step="check").content.decode()
    assert "2 rows can be imported." in page
    assert names() == []


def test_an_error_names_its_line_and_column_and_nothing_is_created(administrator):
    response = send(administrator, MIXED)
    (error,) = response.context["errors"]
    assert (error.line, error.column) == (4, "db_type")
    assert "mongodb" in response.content.decode()
    assert names() == []


def test_the_good_rows_are_imported_where_that_is_wanted(administrator):
    send(administrator, MIXED, partial="on")
    assert names() == ["orders-db", "stock-db"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "The file is not UTF-8"),
        (b"x" * (5 * 1024 * 1024 + 1), "The file is larger than 5 MB."),
    ],
)
def test_what_is_no_such_file_is_refused(administrator, content, message):
    file = SimpleUploadedFile("fleet.csv", content, "text/csv")
    response = administrator.post(URL, {"file": file, "step": "import"})
    assert message in response.content.decode()


def test_a_name_in_a_file_is_shown_as_text(administrator):
    page = send(administrator, HEADER + "<script>alert(1)</script>,mongodb,h,\n").content.decode()
    assert "<script>alert(1)" not in page


def test_it_is_only_for_administrators(operator, viewer):
    for client in (operator, viewer):
        assert client.get(URL).status_code == 403
        assert send(client, GOOD).status_code == 403
    assert names() == []


def test_a_button_leads_to_it(administrator):
    page = administrator.get("/admin/instances/instance/").content.decode()
    assert "Import CSV" in page
    assert administrator.get(URL).status_code == 200
