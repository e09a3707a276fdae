"""Who has what, and why."""

from __future__ import annotations

from rest_framework import serializers

from accounts.models import InstanceAccount
from classification.models import AccountClassification, AccountClassificationAssignment, RiskLevel
from classification.serializers.rules import RuleDetailSerializer
from whalefall.serializers import Serializer


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
