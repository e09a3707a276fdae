"""`/accounts/access`, and `/accounts/ledgers`, which `classification` serves with what it knows
about each account.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access_csv, facts
from accounts.access import Access, UnknownQuestion
from accounts.as_of import as_of
from accounts.filters import LedgerFilter
from accounts.models import WIDE, AccountChangeLog, AccountPermission, InstanceAccount
from accounts.serializers import (
    TYPED,
    AccessQuerySerializer,
    AccessSerializer,
    AsOfQuerySerializer,
    AsOfSerializer,
    ChangeSerializer,
    LedgerSerializer,
    PermissionsSerializer,
)
from whalefall.api import Answer, ApiError
from whalefall.exports import FORMAT, TABLE_SCHEMA, AnyAccept, table_response
from whalefall.instances.models import Instance
from whalefall.paging import LIST_PARAMETERS
from whalefall.viewsets import ViewSet
from whalefall.words import said

EXPORTED = ("instance", "db_type", "username", "kind", "status", *TYPED, "last_seen_at")


class LedgerViewSet(mixins.ListModelMixin, ViewSet):
    """Every account on every instance that is not in the recycle bin."""

    queryset = (
        InstanceAccount.objects.filter(instance__deleted_at=None)
        .select_related("instance", "permission")
        .defer(*(f"permission__{name}" for name in WIDE))
    )
    serializer_class = LedgerSerializer
    filterset_class = LedgerFilter
    sort_fields = {
        "username": "username",
        "instance": "instance__name",
        "db_type": "db_type",
        "kind": "kind",
        "last_login_at": "permission__last_login_at",
        "last_change_time": "permission__last_change_time",
        "password_changed_at": "permission__password_changed_at",
        "last_seen_at": "last_seen_at",
    }

    def get_queryset(self) -> QuerySet[InstanceAccount]:
        found = super().get_queryset().prefetch_related("instance__tags")
        return found.defer(None) if self.action == "permissions" else found

    @extend_schema(parameters=[FORMAT], responses=TABLE_SCHEMA, filters=True)
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def exports(self, request: Request) -> StreamingHttpResponse:
        """The ledger as CSV or XLSX, filtered alike, row by row."""
        found = self.filter_queryset(self.get_queryset())
        return table_response(request, "accounts", self.export_header(), self.export_rows(found))

    def export_header(self) -> tuple[str, ...]:
        return EXPORTED

    def export_rows(self, accounts: QuerySet[InstanceAccount]) -> Iterator[list[Any]]:
        for account in accounts.iterator(chunk_size=1000):
            yield self.export_row(account)

    def export_row(self, account: InstanceAccount) -> list[Any]:
        permission = getattr(account, "permission", None)
        return [
            account.instance.name,
            account.db_type,
            account.username,
            account.kind,
            "active" if account.is_active else "gone",
            *(getattr(permission, name, None) for name in TYPED),
            account.last_seen_at,
        ]

    @extend_schema(responses=PermissionsSerializer)
    @action(detail=True)
    def permissions(self, request: Request, pk: str) -> Answer:
        """What the catalog holds for it, what it may do in effect, and by which paths."""
        account = self.get_object()
        permission = getattr(account, "permission", None)
        if permission is None:
            message = _("Nothing is known about the rights of %(name)s yet: synchronise first.")
            raise ApiError("SNAPSHOT_MISSING", message % {"name": account.username}, 409)
        return Answer(
            {
                "account": self.get_serializer(account).data,
                "capabilities": _capabilities(account.username, permission.permission_facts),
                "snapshot": permission.permission_snapshot,
                "facts": permission.permission_facts,
            }
        )

    @extend_schema(
        responses=AsOfSerializer, parameters=[AsOfQuerySerializer], operation_id="accounts_as_of"
    )
    @action(detail=True, url_path="as-of")
    def as_of(self, request: Request, pk: str) -> Answer:
        """What stood in the server's catalog about it at the end of a day, or at a time."""
        query = AsOfQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        account = self.get_object()
        return Answer(AsOfSerializer(as_of(account, query.validated_data["date"])).data)

    @extend_schema(responses=ChangeSerializer(many=True), filters=False)
    @action(detail=True, url_path="change-history")
    def change_history(self, request: Request, pk: str) -> Response:
        """What changed, newest first."""
        changes = AccountChangeLog.objects.filter(account=self.get_object())
        page = self.paginate_queryset(changes)
        return self.get_paginated_response(ChangeSerializer(page, many=True).data)


class AccessViewSet(ViewSet):
    """Who can do that?"""

    queryset = AccountPermission.objects.none()
    serializer_class = AccessSerializer
    filter_backends = ()

    @extend_schema(
        operation_id="accounts_access",
        parameters=[AccessQuerySerializer],
        responses=AccessSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Who has a privilege on an object, by which paths.

        `meta.unknown` names the instances where the answer may miss accounts, because something
        could not be read there; `meta.understood` tells what the name was taken for.
        """
        access = self._access(request)
        page: list[Any] = list(self.paginate_queryset(access.accounts()) or ())
        for found in page:
            found.ways = access.ways(found)
        answer = cast(Answer, self.get_paginated_response(AccessSerializer(page, many=True).data))
        answer.meta = {
            **(answer.meta or {}),
            "unknown": access.unknown(),
            "understood": access.understood(),
        }
        return answer

    @extend_schema(
        operation_id="accounts_access_exports",
        parameters=[AccessQuerySerializer, FORMAT],
        responses=TABLE_SCHEMA,
    )
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def exports(self, request: Request) -> StreamingHttpResponse:
        """The same answer as CSV or XLSX, a row for each way. What could not be read stands in rows
        without an account.
        """
        access = self._access(request)
        return table_response(request, "access", access_csv.HEADER, access_csv.rows(access))

    def _access(self, request: Request) -> Access:
        given = {k: v for k, v in request.query_params.items() if k not in LIST_PARAMETERS}
        query = AccessQuerySerializer(data=given)
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        instances = Instance.objects.present()
        if "instance" in asked:
            instances = instances.filter(pk=asked.pop("instance"))
        if "db_type" in asked:
            instances = instances.filter(db_type=asked.pop("db_type"))
        if tags := asked.pop("tags", ""):
            tagged = Instance.objects.filter(tags__name__in=tags.split(","))
            instances = instances.filter(pk__in=tagged.values("pk"))
        try:
            return Access(asked.pop("privilege"), asked.pop("object"), instances=instances, **asked)
        except UnknownQuestion as exc:
            raise ApiError("VALIDATION_ERROR", str(exc)) from exc


def _capabilities(username: str, known: dict[str, Any]) -> list[dict[str, Any]]:
    reasons = known.get("capability_reasons", {})
    return [
        {
            "name": name,
            "because": reasons.get(name, {}).get("because", ""),
            "path": reasons.get(name, {}).get("path", []),
            "text": facts.explain(username, known, f"cap:{name}", said),
        }
        for name in known.get("capabilities", ())
    ]
