"""Classifications, rules and assignments as JSON."""

from classification.serializers.assignments import (
    AcceptedSerializer,
    AssignmentSerializer,
    AssignSerializer,
    ExplanationSerializer,
)
from classification.serializers.classifications import (
    ClassificationSerializer,
    ColorSerializer,
    name_exists,
)
from classification.serializers.drafts import (
    CheckedSerializer,
    DraftSerializer,
    PreviewedSerializer,
    PreviewListSerializer,
    PreviewRequestSerializer,
    PreviewSerializer,
)
from classification.serializers.exceptions import ExceptionSerializer
from classification.serializers.numbers import (
    AccountsClassifiedSerializer,
    AccountsOfEngineSerializer,
    CacheStatsSerializer,
    ClearedSerializer,
    ClearSerializer,
    CurveSerializer,
    HistoryQuerySerializer,
    PointSerializer,
    PrivilegeOptionsSerializer,
    StatisticsSerializer,
    SummarySerializer,
)
from classification.serializers.rules import (
    ExpressionField,
    RuleDetailSerializer,
    RulesByEngineSerializer,
    RuleSerializer,
    RuleStatsSerializer,
    invalid_expression,
    parsed_or_refused,
)

__all__ = [
    "AcceptedSerializer",
    "AccountsClassifiedSerializer",
    "AccountsOfEngineSerializer",
    "AssignSerializer",
    "AssignmentSerializer",
    "CacheStatsSerializer",
    "CheckedSerializer",
    "ClassificationSerializer",
    "ClearSerializer",
    "ClearedSerializer",
    "ColorSerializer",
    "CurveSerializer",
    "DraftSerializer",
    "ExceptionSerializer",
    "ExplanationSerializer",
    "ExpressionField",
    "HistoryQuerySerializer",
    "PointSerializer",
    "PreviewListSerializer",
    "PreviewRequestSerializer",
    "PreviewSerializer",
    "PreviewedSerializer",
    "PrivilegeOptionsSerializer",
    "RuleDetailSerializer",
    "RuleSerializer",
    "RuleStatsSerializer",
    "RulesByEngineSerializer",
    "StatisticsSerializer",
    "SummarySerializer",
    "invalid_expression",
    "name_exists",
    "parsed_or_refused",
]
