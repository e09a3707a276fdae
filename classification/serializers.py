"""Classifications, rules and assignments as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import InstanceAccount
from classification.colors import COLORS
from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import describe
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
    DailyCount,
    RiskException,
    RiskLevel,
)
from whalefall.api import ApiError
from whalefall.instances.models import DB_TYPE_CHOICES, Instance
from whalefall.serializers import ChoiceField, IdField, ModelSerializer, Serializer


class ColorSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.CharField(help_text="#dc2626")


class ClassificationSerializer(ModelSerializer):
    """`name` is the code that everything refers to; `display_name` what people read."""

    name = serializers.SlugField(max_length=100)
    color = ChoiceField(tuple(COLORS), default="gray")
    rule_count = serializers.IntegerField(read_only=True, default=0)
    account_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = AccountClassification
        fields = (
            "id",
            "name",
            "display_name",
            "description",
            "risk_level",
            "color",
            "icon_name",
            "priority",
            "is_system",
            "is_active",
            "rule_count",
            "account_count",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("is_system",)

    def validate_name(self, name: str) -> str:
        if self.instance and self.instance.is_system and name != self.instance.name:
            message = _("The code of a shipped classification stays as it is.")
            raise ApiError("SYSTEM_CLASSIFICATION", message)
        own: Any = getattr(self.instance, "pk", None)
        others = AccountClassification.objects.exclude(pk=own)
        if others.filter(name=name).exists():
            raise name_exists("name", name)
        return name


def name_exists(path: str, name: str) -> ApiError:
    message = _("The name %(name)s is taken.") % {"name": name}
    return ApiError(
        "NAME_EXISTS", message, 400, [{"path": path, "message": message, "code": "unique"}]
    )


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


class DraftSerializer(Serializer):
    """A rule that is not saved."""

    db_type = ChoiceField(DB_TYPE_CHOICES)
    rule_expression = ExpressionField()


class CheckedSerializer(serializers.Serializer):
    valid = serializers.BooleanField()
    canonical = serializers.CharField()
    reads_as = serializers.CharField()


class PreviewRequestSerializer(DraftSerializer):
    """`rule_id`: the stored rule that the draft would replace; else `classification`."""

    rule_id = IdField(required=False)
    classification = serializers.PrimaryKeyRelatedField(
        queryset=AccountClassification.objects.all(), required=False
    )
    limit = serializers.IntegerField(min_value=1, max_value=200, default=20)


class PreviewedSerializer(serializers.Serializer):
    account_id = serializers.IntegerField()
    username = serializers.CharField()
    instance = serializers.CharField()
    evidence = serializers.DictField()


class PreviewListSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    items = PreviewedSerializer(many=True)


class PreviewSerializer(serializers.Serializer):
    """What saving the draft would do: `add`, `drop`, `keep` (a number), leave `unknown`."""

    reads_as = serializers.CharField()
    matched = serializers.IntegerField()
    keep = serializers.IntegerField()
    add = PreviewListSerializer()
    drop = PreviewListSerializer()
    unknown = PreviewListSerializer()


class AcceptedSerializer(serializers.Serializer):
    """The exception by which a risk is accepted today."""

    exception_id = serializers.IntegerField()
    reason = serializers.CharField(source="exception.reason")
    approver = serializers.CharField(source="exception.approver")
    ends_on = serializers.DateField()


class AssignmentSerializer(serializers.ModelSerializer):
    account_id = serializers.IntegerField(source="account.account_id")
    username = serializers.CharField(source="account.account.username")
    instance_id = serializers.IntegerField(source="account.instance_id")
    instance_name = serializers.CharField(source="account.instance.name")
    db_type = serializers.CharField(source="account.db_type")
    classification = serializers.CharField(source="classification.name")
    risk_level = serializers.ChoiceField(RiskLevel.choices, source="classification.risk_level")
    rule_id = serializers.IntegerField(allow_null=True)
    rule_name = serializers.CharField(source="rule.rule_name", allow_null=True, default=None)
    assigned_by = serializers.CharField(
        source="assigned_by.username", allow_null=True, default=None
    )
    accepted = AcceptedSerializer(allow_null=True)

    class Meta:
        model = AccountClassificationAssignment
        fields = (
            "id",
            "account_id",
            "username",
            "instance_id",
            "instance_name",
            "db_type",
            "classification",
            "classification_id",
            "risk_level",
            "rule_id",
            "rule_name",
            "assignment_type",
            "batch_id",
            "evidence",
            "assigned_by",
            "assigned_at",
            "accepted",
        )
        read_only_fields = fields


class AssignSerializer(Serializer):
    """`account_id` is the id in the ledger."""

    account_id = serializers.PrimaryKeyRelatedField(
        queryset=InstanceAccount.objects.select_related("permission")
    )
    classification_id = serializers.PrimaryKeyRelatedField(
        queryset=AccountClassification.objects.filter(is_active=True)
    )
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class ExceptionSerializer(ModelSerializer):
    """Of an `account`, or of all whose name is like `username_pattern` (`*` and `?`), on one
    `instance` or everywhere; for a `classification` or a `rule`. All of these are ids.
    """

    account = serializers.PrimaryKeyRelatedField(
        queryset=InstanceAccount.objects.all(), required=False, allow_null=True
    )
    instance = serializers.PrimaryKeyRelatedField(
        queryset=Instance.objects.present(), required=False, allow_null=True
    )
    username = serializers.CharField(
        source="account.username", read_only=True, allow_null=True, default=None
    )
    classification_name = serializers.CharField(
        source="classification.name", read_only=True, default=None
    )
    rule_name = serializers.CharField(
        source="rule.rule_name", read_only=True, allow_null=True, default=None
    )
    state = serializers.ChoiceField(["holding", "expired", "ended"], read_only=True)
    created_by = serializers.CharField(
        source="created_by.username", read_only=True, allow_null=True, default=None
    )
    ended_by = serializers.CharField(
        source="ended_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = RiskException
        fields = (
            "id",
            "account",
            "username",
            "username_pattern",
            "instance",
            "classification",
            "classification_name",
            "rule",
            "rule_name",
            "reason",
            "approver",
            "ends_on",
            "state",
            "created_by",
            "created_at",
            "ended_by",
            "ended_at",
        )
        read_only_fields = ("ended_at",)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        try:
            RiskException(**values).clean()
        except ValidationError as exc:
            raise serializers.ValidationError(exc.message_dict) from exc
        return values


class ExplanationSerializer(serializers.Serializer):
    """Why an account has a classification."""

    assignment = AssignmentSerializer()
    rule = RuleDetailSerializer(allow_null=True)
    verdict = serializers.ChoiceField(["true", "false", "unknown"], allow_null=True)
    finding = serializers.DictField(
        allow_null=True, help_text="The expression with the verdict of every node."
    )
    paths = serializers.ListField(
        child=serializers.CharField(), help_text="alice -> team_rw -> dba_role: CREATE USER"
    )


class PrivilegeOptionsSerializer(serializers.Serializer):
    """What a rule for this engine may name."""

    db_type = serializers.CharField()
    scopes = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    capabilities = serializers.ListField(child=serializers.CharField())
    roles = serializers.ListField(child=serializers.CharField())
    functions = serializers.ListField(child=serializers.DictField())


class CacheStatsSerializer(serializers.Serializer):
    backend = serializers.CharField()
    classification = serializers.DictField()


class ClearSerializer(Serializer):
    db_type = ChoiceField(DB_TYPE_CHOICES, required=False)


class ClearedSerializer(serializers.Serializer):
    cleared = serializers.IntegerField()


class SummarySerializer(serializers.Serializer):
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    gone = serializers.IntegerField()
    superusers = serializers.IntegerField()
    locked = serializers.IntegerField()
    changed_last_day = serializers.IntegerField()
    instances = serializers.IntegerField()


class AccountsOfEngineSerializer(serializers.Serializer):
    db_type = serializers.CharField()
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    superusers = serializers.IntegerField()
    locked = serializers.IntegerField()


class AccountsClassifiedSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    display_name = serializers.CharField()
    risk_level = serializers.CharField()
    color = serializers.CharField()
    accounts = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer):
    summary = SummarySerializer()
    db_types = AccountsOfEngineSerializer(many=True)
    classifications = AccountsClassifiedSerializer(many=True)


class HistoryQuerySerializer(Serializer):
    """`key`: ids of rules or classifications, or risk levels, parted by commas; all without it."""

    kind = ChoiceField(DailyCount.Kind.choices, default=DailyCount.Kind.RISK)
    days = serializers.IntegerField(min_value=1, max_value=3660, default=90)
    key = serializers.CharField(max_length=2000, default="")


class PointSerializer(serializers.Serializer):
    day = serializers.DateField()
    accounts = serializers.IntegerField()
    accepted = serializers.IntegerField(help_text="Of these, by an exception that held.")


class CurveSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    points = PointSerializer(many=True)
