"""The actions that read servers or classify accounts: in place for one instance, as a session for
many.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from capacity.models import InstanceDatabase
from classification.classify import NothingToClassify
from sync import classifying, measuring, runner
from sync.keeper import InstanceBusy, KeeperLost
from sync.models import SyncCategory, SyncSession, SyncType
from sync.serializers import (
    AutoClassifySerializer,
    CapacityResultSerializer,
    ClassifiedSerializer,
    StartedSerializer,
    SyncManySerializer,
    SyncResultSerializer,
    TablesReadSerializer,
)
from sync.viewsets import started
from sync.work import Refused
from whalefall.api import Answer, ApiError
from whalefall.engines import errors
from whalefall.instances.models import Instance
from whalefall.viewsets import ViewSet

SERVER_SAID_NO = {
    name
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, errors.EngineError)
}


class InstanceSyncViewSet(ViewSet):
    """Reading accounts and privileges from servers."""

    queryset = Instance.objects.present().select_related("credential")
    pagination_class = None
    filter_backends = ()
    write_right = "operate"

    @extend_schema(request=None, responses=SyncResultSerializer)
    @action(detail=True, methods=["post"], url_path="actions/sync-accounts")
    def sync_accounts(self, request: Request, pk: str) -> Answer:
        """One instance, in place. 409 with the reason when it could not be read."""
        instance = self.get_object()
        result = runner.sync_accounts(instance, SyncType.MANUAL_SINGLE, created_by=request.user)
        if not result["success"]:
            raise _failed(result)
        return Answer(result, result["message"])

    @extend_schema(operation_id="instances_sync_accounts_many", responses={202: StartedSerializer})
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/sync-accounts",
        serializer_class=SyncManySerializer,
    )
    def sync_many(self, request: Request) -> Answer:
        """All watched instances, or those of `instance_ids`, as a session that workers run."""
        ids = self.validated().get("instance_ids")
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH, _chosen(ids), created_by=request.user
        )
        return started(session)

    @extend_schema(request=None, responses=CapacityResultSerializer)
    @action(detail=True, methods=["post"], url_path="actions/sync-capacity")
    def sync_capacity(self, request: Request, pk: str) -> Answer:
        """Measure one instance, in place. 409 with the reason when it could not be read."""
        instance = self.get_object()
        result = runner.sync_databases(instance, SyncType.MANUAL_SINGLE, created_by=request.user)
        if not result["success"]:
            raise _failed(result)
        return Answer(result, result["message"])

    @extend_schema(operation_id="instances_sync_capacity_many", responses={202: StartedSerializer})
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/sync-capacity",
        serializer_class=SyncManySerializer,
    )
    def sync_capacity_many(self, request: Request) -> Answer:
        """Measure all watched instances, or those of `instance_ids`, as a session."""
        ids = self.validated().get("instance_ids")
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH,
            _chosen(ids),
            sync_category=SyncCategory.CAPACITY,
            created_by=request.user,
        )
        return started(session)


class TableRefreshViewSet(ViewSet):
    """Reading the tables of one database now."""

    queryset = InstanceDatabase.objects.filter(instance__deleted_at=None).select_related(
        "instance__credential"
    )
    pagination_class = None
    filter_backends = ()
    write_right = "operate"

    @extend_schema(request=None, responses=TablesReadSerializer)
    @action(detail=True, methods=["post"], url_path="tables/sizes/actions/refresh")
    def refresh(self, request: Request, pk: str) -> Answer:
        """Read and store them. 409 with the reason when that fails; what is known stays."""
        database = self.get_object()
        try:
            found = measuring.refresh_tables(database)
        except InstanceBusy as exc:
            message = _("%(instance)s is being measured: wait for it to end.")
            raise ApiError(
                "SYNC_DATA_ERROR", message % {"instance": database.instance.name}, 409
            ) from exc
        except KeeperLost as exc:
            message = _("The store was lost meanwhile: nothing written.")
            raise ApiError("SYNC_DATA_ERROR", message, 409) from exc
        except (Refused, ImproperlyConfigured) as exc:
            raise ApiError("SYNC_DATA_ERROR", str(exc), 409) from exc
        if found.reason:
            raise ApiError("SYNC_DATA_ERROR", found.reason, 409)
        tables = len(found.tables)
        return Answer({"tables": tables}, _("%(tables)d tables measured.") % {"tables": tables})


def _chosen(ids: list[int] | None) -> list[Instance]:
    found = Instance.objects.watched()
    instances = list(found if ids is None else found.filter(pk__in=ids))
    missing = sorted(set(ids or ()) - {instance.pk for instance in instances})
    if missing:
        names = ", ".join(str(pk) for pk in missing)
        message = _("Not watched, or not there: %(ids)s.") % {"ids": names}
        raise ApiError("VALIDATION_ERROR", message)
    if not instances:
        raise ApiError("SYNC_DATA_ERROR", _("There is no instance to synchronise."), 409)
    return instances


def _failed(result: dict[str, Any]) -> ApiError:
    error = result["details"].get("error", {})
    if error.get("internal"):
        return ApiError("TASK_EXECUTION_FAILED", result["message"], 500)
    is_server = error.get("type") in SERVER_SAID_NO
    code = "DATABASE_CONNECTION_ERROR" if is_server else "SYNC_DATA_ERROR"
    return ApiError(code, result["message"], 409)


class AutoClassifyViewSet(ViewSet):
    """Applying the rules."""

    queryset = Instance.objects.present()
    serializer_class = AutoClassifySerializer
    pagination_class = None
    filter_backends = ()
    write_right = "operate"

    @extend_schema(responses={200: ClassifiedSerializer, 202: StartedSerializer})
    @action(detail=False, methods=["post"], url_path="actions/auto-classify")
    def auto_classify(self, request: Request) -> Answer:
        """One instance in place, or all as a session. 409 when there are no rules or accounts."""
        given = self.validated()
        everything = given["account_scope"] == "all" or not given["use_optimized"]
        try:
            if "instance_id" not in given:
                return started(classifying.start(request.user, everything))
            instance = self._instance(given["instance_id"])
            outcome = classifying.classify_anew(instance.pk, everything)
        except NothingToClassify as exc:
            error = {"path": "", "message": str(exc), "code": exc.code}
            raise ApiError("SYNC_DATA_ERROR", str(exc), 409, [error]) from exc
        message = _("%(accounts)d accounts: %(added)d given, %(removed)d ended.")
        data = outcome.as_json()
        return Answer(ClassifiedSerializer(data).data, message % data)

    def _instance(self, pk: int) -> Instance:
        instance = self.get_queryset().filter(pk=pk).first()
        if instance is None:
            raise ValidationError({"instance_id": _("No such instance: %(id)s.") % {"id": pk}})
        return instance
