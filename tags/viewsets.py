"""`/tags`: what instances are grouped by, and `/tags/bulk`: many instances at once."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tags import bulk
from tags import serializers as shapes
from tags.models import Tag, TagInUse
from whalefall.api import Answer, ApiError
from whalefall.filters import BooleanFilter
from whalefall.instances.filters import InstanceFilter
from whalefall.instances.models import Instance
from whalefall.viewsets import ModelViewSet, ViewSet

PARTLY = 207


class TagFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="search_in")
    category = django_filters.CharFilter()
    is_active = BooleanFilter()

    class Meta:
        model = Tag
        fields: tuple[str, ...] = ()

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(Q(name__icontains=text) | Q(display_name__icontains=text))


class TagViewSet(ModelViewSet):
    """Labels on instances, in categories. One that is in use is not deleted."""

    queryset = Tag.objects.counted()
    serializer_class = shapes.TagSerializer
    filterset_class = TagFilter
    http_method_names = ("get", "post", "put", "delete", "head", "options")
    write_right = "operate"
    sort_fields = {
        **{name: name for name in ("name", "display_name", "category", "created_at")},
        "instance_count": "instance_count",
    }

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        serializer.save(display_name=given.get("display_name") or given["name"])

    def perform_destroy(self, tag: Tag) -> None:
        try:
            tag.delete_unused()
        except TagInUse as exc:
            raise ApiError("TAG_IN_USE", str(exc), 409) from exc

    @extend_schema(
        responses={200: shapes.BatchDeletedSerializer, PARTLY: shapes.BatchDeletedSerializer}
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="batch-delete",
        serializer_class=shapes.TagIdsSerializer,
    )
    def batch_delete(self, request: Request) -> Answer:
        """Each for itself: 207 where one could not be deleted, with the reason."""
        ids = dict.fromkeys(self.validated()["tag_ids"])
        with transaction.atomic():
            found = Tag.objects.select_for_update().in_bulk(ids)
            results = [_delete(pk, found.get(pk)) for pk in ids]
        deleted = sum(result["status"] == "deleted" for result in results)
        data = {"deleted": deleted, "failed": len(results) - deleted, "results": results}
        status = PARTLY if data["failed"] else 200
        return Answer(data, _("%(n)d tags deleted.") % {"n": deleted}, status=status)

    @extend_schema(responses=shapes.TagOptionSerializer(many=True), filters=False)
    @action(detail=False, url_path="options", pagination_class=None, filter_backends=())
    def list_options(self, request: Request) -> Answer:
        """The active ones, for a form."""
        return _active_tags()

    @extend_schema(responses=shapes.CategorySerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None, filter_backends=())
    def categories(self, request: Request) -> Answer:
        """The categories there are, with how many tags each."""
        found = Tag.objects.order_by("category").values("category")
        return Answer(list(found.annotate(tag_count=Count("pk"))))


def _active_tags() -> Answer:
    active = Tag.objects.filter(is_active=True)
    return Answer(shapes.TagOptionSerializer(active, many=True).data)


def _delete(pk: int, tag: Tag | None) -> dict[str, Any]:
    if tag is None:
        return {"id": pk, "status": "not_found", "message": _("No such tag.")}
    try:
        tag.delete_unused()
    except TagInUse as exc:
        return {"id": pk, "status": "in_use", "message": str(exc)}
    return {"id": pk, "status": "deleted", "message": _("Deleted.")}


class BulkViewSet(ViewSet):
    """Tags on many instances. An id that is not there is a 400 naming it, and nothing is done."""

    queryset = Instance.objects.present().prefetch_related("tags")
    filterset_class = InstanceFilter
    sort_fields = {name: name for name in ("name", "db_type", "host")}
    write_right = "operate"
    rights = {"instance_tags": "view"}

    @extend_schema(responses=shapes.TaggedInstanceSerializer(many=True), filters=True)
    @action(detail=False, serializer_class=shapes.TaggedInstanceSerializer)
    def instances(self, request: Request) -> Response:
        """Instances to choose from, with the tags they have."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(responses=shapes.TagOptionSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None, filter_backends=())
    def tags(self, request: Request) -> Answer:
        """Tags to choose from."""
        return _active_tags()

    @extend_schema(responses=shapes.AssignedSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/assign",
        serializer_class=shapes.InstancesAndTagsSerializer,
    )
    def assign(self, request: Request) -> Answer:
        """Put each of the tags on each of the instances."""
        return self._change(bulk.What.ASSIGN, "assigned", _("%(n)d tags put on."))

    @extend_schema(responses=shapes.RemovedSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/remove",
        serializer_class=shapes.InstancesAndTagsSerializer,
    )
    def remove(self, request: Request) -> Answer:
        """Take each of the tags off each of the instances."""
        return self._change(bulk.What.REMOVE, "removed", _("%(n)d tags taken off."))

    @extend_schema(responses=shapes.AllRemovedSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/remove-all",
        serializer_class=shapes.InstancesSerializer,
    )
    def remove_all(self, request: Request) -> Answer:
        """Take every tag off each of the instances."""
        return self._change(bulk.What.REMOVE_ALL, "removed", _("%(n)d tags taken off."))

    @extend_schema(responses=shapes.CommonTagSerializer(many=True))
    @action(
        detail=False,
        methods=["post"],
        url_path="instance-tags",
        serializer_class=shapes.InstancesSerializer,
    )
    def instance_tags(self, request: Request) -> Answer:
        """The tags that any of these instances has, and how many of them have it."""
        ids = self.validated()["instance_ids"]
        _known(ids)
        return Answer(shapes.CommonTagSerializer(bulk.tags_of(ids), many=True).data)

    def _change(self, what: str, key: str, message: str) -> Answer:
        given = self.validated()
        instances, tags = set(given["instance_ids"]), set(given.get("tag_ids", ()))
        try:
            changed = bulk.apply(what, instances, tags)
        except bulk.UnknownIds as exc:
            raise _refusal(exc) from exc
        data = {key: changed}
        if tags:
            data["unchanged"] = len(instances) * len(tags) - changed
        return Answer(data, message % {"n": changed})


def _known(instance_ids: list[int]) -> None:
    try:
        bulk.check(instance_ids)
    except bulk.UnknownIds as exc:
        raise _refusal(exc) from exc


def _refusal(exc: bulk.UnknownIds) -> ApiError:
    return ApiError("VALIDATION_ERROR", str(exc), 400, exc.errors)
