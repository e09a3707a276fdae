"""Tags, tags on many instances, and instances from a file or a list in one go."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from tags.models import Tag
from whalefall.instances.models import Instance
from whalefall.serializers import IdField, ModelSerializer, Serializer


class BatchCreateSerializer(Serializer):
    """`file`: CSV as the template has it (multipart); or `items`: the same cells as a list.

    With `partial` the good rows are created though others are not good.
    """

    file = serializers.FileField(required=False)
    items = serializers.ListField(
        child=serializers.DictField(), required=False, allow_empty=False, max_length=5000
    )
    partial = serializers.BooleanField(default=False)  # type: ignore[assignment]
    check = serializers.BooleanField(default=False, help_text="Look only, create nothing.")


class RowErrorSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="line 3, or line 3.port")
    message = serializers.CharField()
    code = serializers.CharField()


class BatchCreatedSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    valid = serializers.IntegerField(help_text="Rows without an error.")
    failed = serializers.IntegerField(help_text="Errors of the rows that were left out.")
    ids = serializers.ListField(child=serializers.IntegerField())
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]


@extend_schema_serializer(component_name="ManagedTag")  # instances show a shorter one
class TagSerializer(ModelSerializer):
    """`color`: a name or #rrggbb. Without `display_name` the name is shown."""

    instance_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Tag
        fields = (
            *("id", "name", "display_name", "category", "color", "is_active"),
            *("instance_count", "created_at", "updated_at"),
        )
        extra_kwargs = {"display_name": {"required": False, "allow_blank": True}}


class TagOptionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ("id", "name", "display_name", "category", "color")


class CategorySerializer(serializers.Serializer):
    category = serializers.CharField(allow_blank=True)
    tag_count = serializers.IntegerField()


class TagIdsSerializer(Serializer):
    tag_ids = serializers.ListField(child=IdField(), allow_empty=False, max_length=200)


class TagDeletedSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(["deleted", "in_use", "not_found"])
    message = serializers.CharField()


class BatchDeletedSerializer(serializers.Serializer):
    deleted = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = TagDeletedSerializer(many=True)


class TaggedInstanceSerializer(serializers.ModelSerializer):
    tags = TagOptionSerializer(many=True, read_only=True)

    class Meta:
        model = Instance
        fields = ("id", "name", "db_type", "host", "port", "tags")


class InstancesSerializer(Serializer):
    instance_ids = serializers.ListField(child=IdField(), allow_empty=False, max_length=10_000)


class InstancesAndTagsSerializer(InstancesSerializer, TagIdsSerializer):
    pass


class AssignedSerializer(serializers.Serializer):
    assigned = serializers.IntegerField(help_text="Tags put on.")
    unchanged = serializers.IntegerField(help_text="Pairs that were so already.")


class RemovedSerializer(serializers.Serializer):
    removed = serializers.IntegerField(help_text="Tags taken off.")
    unchanged = serializers.IntegerField(help_text="Pairs that were so already.")


class AllRemovedSerializer(serializers.Serializer):
    removed = serializers.IntegerField(help_text="Tags taken off.")


class CommonTagSerializer(TagOptionSerializer):
    instance_count = serializers.IntegerField(help_text="Of the instances asked about.")

    class Meta(TagOptionSerializer.Meta):
        fields = (*TagOptionSerializer.Meta.fields, "instance_count")  # type: ignore[assignment]
