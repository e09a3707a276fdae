"""`/instances/actions/batch-create`: instances with their tags, from CSV or a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request

from tags.importing import create, read_upload
from tags.serializers import BatchCreatedSerializer, BatchCreateSerializer
from whalefall.api import Answer, ApiError
from whalefall.exports import CSV_SCHEMA, AnyAccept, csv_response
from whalefall.instances.imports import COLUMNS, Import, RowError, read_rows
from whalefall.instances.models import Instance
from whalefall.viewsets import ViewSet

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
        """All rows or none, unless `partial`; every error names its line and column. With `check`
        nothing is created: the answer says what would be.
        """
        given = self.validated()
        found = _read(given)
        errors = [_error(each) for each in found.errors]
        if given["check"]:
            return Answer(_outcome(found, errors), _("Checked: nothing was created."))
        if errors and not given["partial"]:
            raise ApiError("VALIDATION_ERROR", str(found.errors[0]), 400, errors)
        data = _outcome(found, errors, create(found))
        return Answer(data, _("%(created)d instances created.") % data)


def _outcome(
    found: Import, errors: list[dict[str, str]], created: Iterable[Instance] = ()
) -> dict[str, Any]:
    ids = [instance.pk for instance in created]
    return {
        "created": len(ids),
        "valid": len(found.rows),
        "failed": len(errors),
        "ids": ids,
        "errors": errors,
    }


def _read(given: dict[str, Any]) -> Import:
    if "items" in given:
        return read_rows(enumerate(given["items"], 1))
    if "file" not in given:
        raise ApiError("REQUEST_DATA_EMPTY", _("Send a CSV file as `file`, or rows as `items`."))
    try:
        return read_upload(given["file"])
    except ValueError as exc:
        raise ApiError("VALIDATION_ERROR", str(exc)) from exc


def _error(error: RowError) -> dict[str, str]:
    where = f"line {error.line}"
    return {
        "path": f"{where}.{error.column}" if error.column else where,
        "message": error.message,
        "code": "invalid",
    }
