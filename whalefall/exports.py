"""Tables for people, as CSV or XLSX (`?format=`): row by row, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from whalefall import xlsx
from whalefall.paging import unknown

CSV_SCHEMA = {(200, "text/csv"): OpenApiTypes.STR}
TABLE_SCHEMA = CSV_SCHEMA | {(200, xlsx.MEDIA_TYPE): OpenApiTypes.BINARY}
FORMATS = ("csv", "xlsx")
FORMAT = OpenApiParameter("format", str, enum=FORMATS, default="csv")
# What a spreadsheet takes for a formula (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """`value` as text; what a spreadsheet would run gets a quote in front, which shows it as it
    is.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, int | float) else text


class Echo:
    """A file whose `write` gives the line back: what csv needs to make lines for a stream."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo())  # type: ignore[arg-type]
    yield "\ufeff" + writer.writerow(header)  # type: ignore[operator] # the mark is for Excel
    for row in rows:
        yield writer.writerow([cell(value) for value in row])  # type: ignore[misc]


def csv_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A download `name.csv` that is never held in memory as a whole."""
    response = StreamingHttpResponse(
        csv_lines(header, rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def asked_format(request: Request) -> str:
    """`csv` unless `?format=` says otherwise. Raises ValidationError with the choices."""
    wanted = request.query_params.get("format", FORMATS[0])
    if wanted not in FORMATS:
        raise ValidationError({"format": unknown(wanted, FORMATS)})
    return wanted


def table_response(
    request: Request, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A download in the format that was asked for, never held in memory as a whole."""
    if asked_format(request) == "xlsx":
        return xlsx.response(name, header, rows)
    return csv_response(name, header, rows)


class AnyAccept(BaseContentNegotiation):
    """For downloads: whatever the caller accepts, refusals come as the first renderer's JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next((parser for parser in parsers), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
