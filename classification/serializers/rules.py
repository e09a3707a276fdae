"""Rules as JSON, and what is wrong with their expressions."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import describe
from classification.models import ClassificationRule
from classification.serializers.classifications import name_exists
from whalefall.api import ApiError
from whalefall.serializers import ModelSerializer


@extend_schema_field({"oneOf": [{"type": "object"}, {"type": "string"}]})
class ExpressionField(serializers.JSONField):
    """DSL v4, as an object or as its JSON text."""

    def to_representation(self, value: Any) -> Any:
        try:
            return json.loads(value)
        except ValueError:  # what an older version stored: shown as it is
            return value


class RuleSerializer(ModelSerializer):
    """The expression is stored in its canonical form."""

    classification_name = serializers.CharField(source="classification.name", read_only=True)
    rule_expression = ExpressionField()
    references = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=50
    )

    class Meta:
        model = ClassificationRule
        fields: tuple[str, ...] = (
            "id",
            "classification",
            "classification_name",
            "db_type",
            "rule_name",
            "description",
            "rule_expression",
            "references",
            "is_active",
            "created_at",
            "updated_at",
        )
        # `rule_name` and the expression are asked in `validate`, for answers of their own.
        validators = ()

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        draft = ClassificationRule(pk=getattr(self.instance, "pk", None), **values)
        parsed = parsed_or_refused(draft)
        same_name = ClassificationRule.objects.exclude(pk=draft.pk).filter(
            db_type=draft.db_type, rule_name=draft.rule_name
        )
        if same_name.exists():
            raise name_exists("rule_name", draft.rule_name)
        draft.rule_expression = parsed.canonical()
        if twin := draft.twin():
            message = _("Rule %(name)s asks the same already.") % {"name": twin.rule_name}
            error = {"path": "rule_expression", "message": message, "code": "duplicated"}
            raise ApiError("EXPRESSION_DUPLICATED", message, 400, [error])
        return values | {"rule_expression": draft.rule_expression}


def parsed_or_refused(draft: ClassificationRule) -> Any:
    """The expression as nodes. Raises ApiError with every fault and its path."""
    try:
        return draft.parsed()
    except InvalidExpression as exc:
        raise invalid_expression(exc) from exc


# No object, or one of another version: faults of the parser.
NOT_V4 = frozenset((("", "type"), ("version", "version")))


def invalid_expression(exc: InvalidExpression) -> ApiError:
    errors = [fault.as_json() for fault in exc.faults]
    is_other = any((fault.path, fault.code) in NOT_V4 for fault in exc.faults)
    code = "DSL_V4_REQUIRED" if is_other else "INVALID_DSL_EXPRESSION"
    first = exc.faults[0]
    message = f"{first.path}: {first.message}" if first.path else first.message
    return ApiError(code, message, 400, errors)


class RuleDetailSerializer(RuleSerializer):
    """`expression` is the parsed one; `reads_as` says it in words."""

    reads_as = serializers.SerializerMethodField()

    class Meta(RuleSerializer.Meta):
        fields = (*RuleSerializer.Meta.fields, "reads_as")

    def get_reads_as(self, rule: ClassificationRule) -> str:
        try:
            return describe(rule.parsed().root)
        except InvalidExpression as exc:
            return "; ".join(exc.messages)


class RulesByEngineSerializer(serializers.Serializer):
    """`rules_by_db_type`: `{"mysql": [rule, ...]}`."""

    rules_by_db_type = serializers.DictField(child=RuleSerializer(many=True))
    total = serializers.IntegerField()


class RuleStatsSerializer(serializers.Serializer):
    rule_id = serializers.IntegerField()
    rule_name = serializers.CharField()
    db_type = serializers.CharField()
    classification = serializers.CharField()
    accounts = serializers.IntegerField(help_text="That have the classification by this rule.")
