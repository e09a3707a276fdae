"""`/accounts/compare`: two accounts side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts import compare
from accounts.models import InstanceAccount
from whalefall.api import Answer, ApiError
from whalefall.paging import LIST_PARAMETERS
from whalefall.serializers import ChoiceField, IdField, Serializer
from whalefall.viewsets import ViewSet

PARTS: dict[str, Callable[..., list[compare.Row]]] = {
    "privileges": compare.privileges,
    "catalog": compare.catalog,
    "roles": compare.roles,
    "capabilities": compare.capabilities,
}


class CompareQuerySerializer(Serializer):
    """`of`: rights in effect at login, or what the catalog gives to the accounts themselves."""

    left = IdField(help_text="Id in the ledger.")
    right = IdField(help_text="Id in the ledger.")
    of = ChoiceField(list(PARTS), default="privileges")
    show = ChoiceField(["different", "all"], default="different")


class HowSerializer(serializers.Serializer):
    path = serializers.ListField(child=serializers.CharField())
    option = serializers.CharField()


class RowSerializer(serializers.Serializer):
    """Names on one object that compare alike. `unknown`: the other side could not be read there."""

    scope = serializers.CharField()
    object = serializers.CharField()
    held = serializers.ChoiceField(compare.Held.choices)
    names = serializers.ListField(child=serializers.CharField())
    left = HowSerializer(allow_null=True)
    right = HowSerializer(allow_null=True)


class CompareViewSet(ViewSet):
    """Who has what the other has not?"""

    queryset = InstanceAccount.objects.filter(instance__deleted_at=None).select_related(
        "instance", "permission"
    )
    serializer_class = RowSerializer
    filter_backends = ()

    @extend_schema(
        operation_id="accounts_compare",
        parameters=[CompareQuerySerializer],
        responses=RowSerializer(many=True),
    )
    def list(self, request: Request) -> Answer:
        """What differs between two accounts, wherever they are.

        `meta.summary` counts how many names compare in which way, `meta.attributes` are those of
        the accounts themselves.
        """
        given = {k: v for k, v in request.query_params.items() if k not in LIST_PARAMETERS}
        query = CompareQuerySerializer(data=given)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        left, right = self._side(asked["left"]), self._side(asked["right"])
        rows = PARTS[asked["of"]](left, right)
        shown: Any = compare.differing(rows) if asked["show"] == "different" else rows
        page = self.paginate_queryset(shown)
        answer: Any = self.get_paginated_response(RowSerializer(page, many=True).data)
        attributes = [value._asdict() for value in compare.attributes(left, right)]
        answer.meta = {"summary": compare.summary(rows), "attributes": attributes}
        return answer  # type: ignore[no-any-return]

    def _side(self, pk: int) -> compare.Side:
        account = self.get_queryset().filter(pk=pk).first()
        if account is None:
            text = _("There is no account %(pk)d.") % {"pk": pk}
            raise ApiError("RESOURCE_NOT_FOUND", text, 404)
        permission = getattr(account, "permission", None)
        if permission is None:
            text = _("Nothing is known about the rights of %(name)s yet: synchronise first.")
            raise ApiError("SNAPSHOT_MISSING", text % {"name": account.username}, 409)
        return compare.Side(
            account.username, permission.permission_facts, permission.permission_snapshot
        )
