"""`/instances/actions/batch-create`: instances with their tags, from CSV or a list."""

from __future__ import annotations

import io
from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request

from tags.attach import attach
from tags.serializers import BatchCreatedSerializer, BatchCreateSerializer
from whalefall.api import Answer, ApiError
from whalefall.exports import CSV_SCHEMA, AnyAccept, csv_response
from whalefall.instances.imports import COLUMNS, Import, RowError, read_csv, read_rows
from whalefall.instances.models import Instance
from whalefall.viewsets import ViewSet

LARGEST_FILE = 5 * 1024 * 1024
EXAMPLE = {
    "name": "orders-db",
    "db_type": "mysql",
    "host": "orders-db.example.org",
    "port": "3306",
    "credential": "collector",
    "tls_mode": "verify-full",
    "environment": "production",
    "is_active": "true",
    "tags": "gold;west",
}


class ImportViewSet(ViewSet):
    """Registering many instances at once."""

    queryset = Instance.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=CSV_SCHEMA)
    @action(
        detail=False,
        url_path="imports/template",
        content_negotiation_class=AnyAccept,
    )
    def template(self, request: Request) -> StreamingHttpResponse:
        """The CSV that batch-create takes, with one row as an example."""
        return csv_response("instances", COLUMNS, [[EXAMPLE.get(name, "") for name in COLUMNS]])

    @extend_schema(responses=BatchCreatedSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/batch-create",
        serializer_class=BatchCreateSerializer,
        parser_classes=(JSONParser, MultiPartParser),
    )
    def batch_create(self, request: Request) -> Answer:
        """All rows or none, unless `partial`; every error names its line and column."""
        given = self.validated()
        found = _read(given)
        errors = [_error(each) for each in found.errors]
        if errors and not given["partial"]:
            raise ApiError("VALIDATION_ERROR", str(found.errors[0]), 400, errors)
        with transaction.atomic():
            created = Import(rows=found.rows).create()
            attach({row.instance: row.tags for row in found.rows})
        data = {
            "created": len(created),
            "failed": len(errors),
            "ids": [instance.pk for instance in created],
            "errors": errors,
        }
        return Answer(data, _("%(created)d instances created.") % data)


def _read(given: dict[str, Any]) -> Import:
    if "items" in given:
        return read_rows(enumerate(given["items"], 1))
    if "file" not in given:
        raise ApiError("REQUEST_DATA_EMPTY", _("Send a CSV file as `file`, or rows as `items`."))
    if given["file"].size > LARGEST_FILE:
        raise ApiError("VALIDATION_ERROR", _("The file is larger than 5 MB."))
    try:
        text = given["file"].read().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ApiError("VALIDATION_ERROR", _("The file is not UTF-8: %s") % exc.reason) from exc
    return read_csv(io.StringIO(text, newline=""))


def _error(error: RowError) -> dict[str, str]:
    where = f"line {error.line}"
    return {
        "path": f"{where}.{error.column}" if error.column else where,
        "message": error.message,
        "code": "invalid",
    }
