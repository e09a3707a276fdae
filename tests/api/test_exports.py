"""Every export, as CSV and as XLSX: the same rows, typed cells, and nothing a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import tempfile
import tracemalloc
from datetime import UTC, date, datetime

import pytest
from openpyxl import load_workbook

from capacity.models import InstanceDatabase
from tests.admin import fleet
from tests.api.endpoints import ENDPOINTS
from tests.api.envelope import errors
from whalefall import exports, xlsx

FORMULA = '=HYPERLINK("http://evil.example";"click")'
QUERIES = {"/accounts/access/exports": {"privilege": "SELECT", "object": "shop.public.orders"}}
EXPORTS = sorted(
    path
    for method, path in ENDPOINTS
    if method == "GET" and (path.endswith("/exports") or "exports/" in path)
)


@pytest.fixture
def house(db):
    """A fleet with a name in it that a spreadsheet would take for a formula."""
    instance = fleet.instance("orders-db", description=FORMULA)
    fleet.store(instance, fleet.orders())
    fleet.sizes(instance, name=FORMULA)
    return instance


def ask(client, path, form):
    pk = InstanceDatabase.objects.get().pk
    query = QUERIES.get(path, {}) | {"format": form}
    response = client.get(f"/api/v1{path.replace('{pk}', str(pk))}", query)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def as_csv(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def sheets(content):
    return load_workbook(io.BytesIO(content)).worksheets


@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_holds_the_same_rows_in_both_formats(viewer, house, path):
    written, (sheet,) = as_csv(ask(viewer, path, "csv")), sheets(ask(viewer, path, "xlsx"))
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == written[0]
    assert len(rows) == len(written)
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("path", EXPORTS)
def test_no_cell_of_an_export_is_a_formula(viewer, house, path):
    for row in as_csv(ask(viewer, path, "csv")):
        assert not [
            cell for cell in row if cell.startswith(exports.FORMULA) and not is_number(cell)
        ]
    (sheet,) = sheets(ask(viewer, path, "xlsx"))
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("path", EXPORTS)
def test_an_unknown_format_names_the_choices(viewer, house, path):
    pk = InstanceDatabase.objects.get().pk
    query = QUERIES.get(path, {}) | {"format": "pdf"}
    response = viewer.get(f"/api/v1{path.replace('{pk}', str(pk))}", query)
    assert errors(response) == {"format": "Unknown: pdf. Must be one of: csv, xlsx."}


def written(rows, header=("name",)):
    with tempfile.TemporaryFile() as file:
        xlsx.write(file, header, rows)
        file.seek(0)
        return sheets(file.read())


def test_cells_have_the_type_of_what_is_in_them():
    moment = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    row = ["a", 7, 2.5, True, moment, date(2026, 11, 22), None, 2**60, FORMULA, "007", "x\x00\x01"]
    (sheet,) = written([row])
    cells = next(sheet.iter_rows(min_row=2))
    assert [cell.value for cell in cells[:4]] == ["a", 7, 2.5, True]
    assert cells[4].value == datetime(2026, 11, 22, 1, 2, 3)
    assert cells[5].value == datetime(2026, 11, 22)
    assert [cell.value for cell in cells[6:10]] == [None, str(2**60), FORMULA, "007"]
    assert [cell.data_type for cell in cells[7:10]] == ["s", "s", "s"]


def test_what_one_sheet_cannot_hold_goes_on_the_next(monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    first, second = written([f"row {number}"] for number in range(5))
    assert [row[0].value for row in first.iter_rows()] == ["name", "row 0", "row 1", "row 2"]
    assert [row[0].value for row in second.iter_rows()] == ["name", "row 3", "row 4"]


def test_memory_stays_the_same_at_any_length():
    def peak(count):
        tracemalloc.start()
        with tempfile.TemporaryFile() as file:
            xlsx.write(file, ("name", "size"), ([f"row {n}", n] for n in range(count)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(8_000) < 1.5 * peak(1_000)
