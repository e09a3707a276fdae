"""Many instances in and out at once."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.cast import credential, instance
from tests.api.envelope import check_failed, check_ok, errors
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db
URL = "/api/v1/instances"
CREATE = f"{URL}/actions/batch-create"
GOOD = {"name": "a", "db_type": "mysql", "host": "h1", "port": "3306", "tags": "gold;west"}
BAD = {"name": "b", "db_type": "db2", "host": "h2"}


def text(response) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig")


def upload(client, content: bytes, **fields):
    file = SimpleUploadedFile("fleet.csv", content, "text/csv")
    return client.post(CREATE, {"file": file, **fields}, format="multipart")


def test_what_is_exported_can_be_created_again(administrator):
    instance("orders-db", credential=credential(), description="a, b").tags.create(
        name="gold", display_name="Gold"
    )
    exported = text(administrator.get(f"{URL}/exports"))
    Instance.objects.all().delete()
    assert check_ok(upload(administrator, exported.encode()))["created"] == 1
    again = Instance.objects.get()
    assert (again.description, again.credential.name) == ("a, b", "collector")
    assert [tag.name for tag in again.tags.all()] == ["gold"]


def test_the_template_can_be_created(administrator):
    credential()
    template = text(administrator.get(f"{URL}/imports/template"))
    assert check_ok(upload(administrator, template.encode()))["created"] == 1


def test_all_rows_or_none(administrator):
    found = errors(administrator.post(CREATE, {"items": [GOOD, BAD]}))
    assert list(found) == ["line 2.db_type"]
    assert not Instance.objects.exists()


def test_partial_takes_the_good_rows(administrator):
    data = check_ok(administrator.post(CREATE, {"items": [GOOD, BAD], "partial": True}))
    assert (data["created"], data["failed"]) == (1, 1)
    assert data["errors"][0]["path"] == "line 2.db_type"
    assert [tag.name for tag in Instance.objects.get().tags.all()] == ["gold", "west"]


def test_a_file_that_is_no_text_is_refused(administrator):
    body = check_failed(upload(administrator, b"\xff\xfe\x00"), 400, "VALIDATION_ERROR")
    assert body["message"].startswith("The file is not UTF-8")


def test_nothing_at_all_is_refused(administrator):
    check_failed(administrator.post(CREATE, {}), 400, "REQUEST_DATA_EMPTY")


def test_many_go_into_the_recycle_bin_or_none(administrator):
    ids = [instance(name).pk for name in ("a", "b")]
    url = f"{URL}/actions/batch-delete"
    check_failed(
        administrator.post(url, {"instance_ids": [*ids, 999000000]}), 404, "RESOURCE_NOT_FOUND"
    )
    assert Instance.objects.present().count() == 2
    assert check_ok(administrator.post(url, {"instance_ids": ids})) == {"recycled": 2}
    assert Instance.objects.present().count() == 0


def test_a_check_creates_nothing_and_names_every_error(administrator):
    rows = [
        {"name": "orders-db", "db_type": "mysql", "host": "h", "tags": "gold"},
        {"name": "bad-db", "db_type": "mongodb", "host": "h"},
    ]
    data = check_ok(administrator.post(CREATE, {"items": rows, "check": True}))
    assert (data["created"], data["valid"], data["failed"]) == (0, 1, 1)
    assert data["errors"][0]["path"] == "line 2.db_type"
    assert not Instance.objects.exists()
