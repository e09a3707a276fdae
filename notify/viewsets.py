"""`/notifications`: channels, rules, what was found, and what became of the messages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from notify import deliver, filters
from notify import serializers as shapes
from notify.models import Alert, Channel, Delivery, Rule
from whalefall.api import Answer, ApiError
from whalefall.viewsets import ModelViewSet, ReadOnlyViewSet

WRITABLE = ("get", "post", "put", "patch", "delete", "head", "options")


class ChannelViewSet(ModelViewSet):
    """Where messages go. No answer ever holds an address with its token, or a secret."""

    queryset = Channel.objects.order_by("name")
    serializer_class = shapes.ChannelSerializer
    filterset_class = filters.ChannelFilter
    http_method_names = WRITABLE
    sort_fields = {"name": "name", "kind": "kind", "created_at": "created_at"}

    @extend_schema(request=None, responses=shapes.DeliveryDetailSerializer)
    @action(detail=True, methods=["post"], url_path="actions/test")
    def test(self, request: Request, pk: str) -> Answer:
        """Send a message that says it is a test, now. 409 with the reason when it fails."""
        delivery = deliver.send_test(self.get_object(), request.user)
        if delivery.status != Delivery.Status.SENT:
            raise ApiError("TASK_EXECUTION_FAILED", delivery.last_error, 409)
        return Answer(shapes.DeliveryDetailSerializer(delivery).data, _("Sent."))


class RuleViewSet(ModelViewSet):
    """What is worth a message, and to which channels."""

    queryset = Rule.objects.prefetch_related("channels", "tags").order_by("name")
    serializer_class = shapes.RuleSerializer
    filterset_class = filters.RuleFilter
    http_method_names = WRITABLE
    sort_fields = {"name": "name", "kind": "kind", "created_at": "created_at"}


class AlertViewSet(ReadOnlyViewSet):
    """What the rules found, the newest first. `closed_at`: when it was over."""

    queryset = Alert.objects.select_related("rule")
    serializer_class = shapes.AlertSerializer
    filterset_class = filters.AlertFilter
    sort_fields = {"found_at": "found_at", "told_at": "told_at"}


class DeliveryViewSet(ReadOnlyViewSet):
    """Messages and what became of them, the newest first."""

    queryset = Delivery.objects.select_related("channel").defer("channel__url", "channel__secret")
    filterset_class = filters.DeliveryFilter
    sort_fields = {name: name for name in ("created_at", "ended_at", "next_try_at")}

    def get_serializer_class(self) -> Any:
        detail = self.action in ("retrieve", "resend")
        return shapes.DeliveryDetailSerializer if detail else shapes.DeliverySerializer

    @extend_schema(request=None, responses=shapes.DeliveryDetailSerializer)
    @action(detail=True, methods=["post"], url_path="actions/resend")
    def resend(self, request: Request, pk: str) -> Answer:
        """Once more, with the same message id. 409 while it is on its way."""
        delivery = self.get_object()
        if not delivery.resend():
            message = _("It is on its way: wait until it was sent or given up.")
            raise ApiError("CONSTRAINT_VIOLATION", message, 409)
        delivery.refresh_from_db()
        return Answer(self.get_serializer(delivery).data, _("It is sent within a minute."))
