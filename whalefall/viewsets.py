"""Bases of the API's viewsets: rows in and out, each answer with a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import mixins, views, viewsets
from rest_framework.request import Request

from whalefall import audit
from whalefall.api import Answer, ApiError
from whalefall.serializers import Serializer


class ViewSet(viewsets.GenericViewSet):
    """`sort_fields` (what people write -> column), `rights` and `limits` (names of
    `whalefall.rates`) per action, ids that are numbers.
    """

    # For actions without a body: the browsable API draws a form from whatever there is.
    serializer_class: Any = Serializer
    lookup_value_regex = r"\d{1,18}"
    sort_fields: Mapping[str, str] = {}
    rights: Mapping[str, str] = {}
    limits: Mapping[str, str] = {}

    def get_object(self) -> Any:
        found = super().get_object()
        audit.note(found)
        return found

    def validated(self, data: Any = None) -> dict[str, Any]:
        """The request's body (or `data`), checked by the action's serializer."""
        serializer = self.get_serializer(data=self.request.data if data is None else data)
        serializer.is_valid(raise_exception=True)
        checked: dict[str, Any] = serializer.validated_data
        return checked


class ReadOnlyViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, ViewSet):
    """List and detail."""


class ModelViewSet(ReadOnlyViewSet):
    """List, detail, create, change, delete. Which methods there are is up to `http_method_names`.

    Deleting answers 200: 204 has no place for the envelope.
    """

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        audit.note(serializer.instance)
        return Answer(serializer.data, _("Created."), status=201)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        serializer = self.get_serializer(
            self.get_object(), data=request.data, partial=kwargs.pop("partial", False)
        )
        serializer.is_valid(raise_exception=True)
        self.perform_update(serializer)
        return Answer(serializer.data, _("Saved."))

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        return self.update(request, *args, partial=True, **kwargs)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        self.perform_destroy(self.get_object())
        return Answer(None, _("Deleted."))

    def perform_create(self, serializer: Any) -> None:
        serializer.save()

    def perform_update(self, serializer: Any) -> None:
        serializer.save()

    def perform_destroy(self, instance: Any) -> None:
        instance.delete()


class NoSuchPath(views.APIView):
    """What no other address under the API's base matches: 404 in the envelope."""

    schema = None
    permission_classes = ()
    # A wrong path is a wrong path, whatever token came with it.
    authentication_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise ApiError(
            "RESOURCE_NOT_FOUND", _("No such path: %(path)s") % {"path": request.path}, 404
        )
