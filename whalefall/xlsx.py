"""XLSX, written row by row into a temporary file: memory stays the same at any length. Texts are
written as texts, so that a spreadsheet runs none of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

from django.http import FileResponse
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575
"""Of a sheet, below its header; what is more goes on the next sheet."""
LONGEST_TEXT = 32_767
# A spreadsheet's numbers have 15 digits: longer ones stay exact as text.
LARGEST_NUMBER = 10**15
WIDTH = 22
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """A download `name.xlsx`."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write(file, header, rows)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=MEDIA_TYPE)


def write(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One sheet, or several where one cannot hold all rows; the header stands on each."""
    with Workbook(file, OPTIONS) as book:
        formats = {
            "header": book.add_format({"bold": True, "bg_color": "#DDE7EE"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        sheet, line = _sheet(book, header, formats), 1
        for row in rows:
            if line > MOST_ROWS:
                sheet, line = _sheet(book, header, formats), 1
            for column, value in enumerate(row):
                _put(sheet, line, column, value, formats)
            line += 1


def _sheet(book: Any, header: Sequence[str], formats: dict[str, Any]) -> Worksheet:
    sheet: Worksheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(header) - 1, 0), WIDTH)
    for column, name in enumerate(header):
        sheet.write_string(0, column, name, formats["header"])
    return sheet


def _put(sheet: Worksheet, line: int, column: int, value: Any, formats: dict[str, Any]) -> None:
    """A value as what it is. Times are UTC: a spreadsheet knows no time zones."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    elif isinstance(value, int | float | Decimal) and abs(float(value)) < LARGEST_NUMBER:
        sheet.write_number(line, column, value)
    elif isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        sheet.write_datetime(line, column, moment, formats["time"])
    elif isinstance(value, date):
        sheet.write_datetime(line, column, value, formats["day"])
    else:
        sheet.write_string(line, column, str(value)[:LONGEST_TEXT])
