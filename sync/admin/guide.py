"""The guide from nothing to the first risks of a server: a login, its address, a first reading."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from accounts.models import AccountPermission
from classification.models import RiskLevel
from sync import first_run, queue
from sync.admin.parts import progress_bar
from sync.models import SyncCategory, SyncSession
from whalefall import audit, rates
from whalefall.api import ApiError
from whalefall.auth import has_right
from whalefall.console import show
from whalefall.console.cards import list_url
from whalefall.console.pages import change_url, extend
from whalefall.engines import DB_TYPES, engine
from whalefall.instances import connection
from whalefall.instances.models import Instance
from whalefall.words import said

LOGIN = "whalefall"
RISKS_SHOWN = 10


@extend(Instance)
class GuidedInstances:
    """The button above the list of instances, and the two pages behind it."""

    actions_list = ("add_by_guide",)

    def get_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]
        return [
            path("guide/", site.admin_view(self.guide), name="guide"),
            path("guide/<int:pk>/", site.admin_view(self.first_reading), name="first_reading"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @action(description=_("Add a server"), icon="add_circle", permissions=["manage"])  # type: ignore[arg-type]
    def add_by_guide(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:guide"))

    def guide(self, request: HttpRequest) -> HttpResponse:
        """GET: script and form of an engine. POST: test, register, start reading."""
        check_may_manage(request)
        db_type = request.GET.get("engine", "")
        db_type = db_type if db_type in DB_TYPES else next(iter(DB_TYPES))
        login = request.GET.get("login", "").strip()[:128] or LOGIN
        form = first_run.ServerForm(request.POST or None, db_type=db_type, login=login)
        refusal = None
        if request.method == "POST" and form.is_valid():
            refusal = self._try(request, form)
            if refusal is None:
                return HttpResponseRedirect(
                    reverse("admin:first_reading", args=(form.instance.pk,))
                )
        script = engine(db_type).collector_grants(login)
        return self._page(
            request,
            "sync/guide.html",
            _("Add a server"),
            engines=DB_TYPES.items(),
            db_type=db_type,
            login=login,
            script=script,
            form=form,
            refusal=refusal,
        )

    def _try(
        self, request: HttpRequest, form: first_run.ServerForm
    ) -> connection.ConnectionResult | None:
        """What the server said against it; None when it is registered and being read."""
        if "untested" not in request.POST:
            try:
                rates.check_person("connections", request)
            except ApiError as exc:
                return connection.ConnectionResult(False, str(exc.detail))
            result = connection.test_connection(form.target(), form.instance.db_type)
            if not result.success:
                return result
            for missing in result.missing:
                text = f"{said(missing.privilege)}: {missing.remedy}".removesuffix(": ")
                messages.warning(request, text)
        instance = form.register()
        audit.note(instance)
        self.log_addition(request, instance, [{"added": {}}])  # type: ignore[attr-defined]
        if "untested" not in request.POST:
            instance.connected(result.version, result.main_version)
            messages.success(request, result.message)
            first_run.read_first(instance, request.user)
        return None

    def first_reading(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How the first reading goes; then what it found. A POST reads (again)."""
        check_may_manage(request)
        instance = get_object_or_404(Instance.objects.present(), pk=pk)
        if request.method == "POST":
            first_run.read_first(instance, request.user)
            return HttpResponseRedirect(request.path)
        sessions = SyncSession.objects.filter(
            records__instance=instance, sync_category=SyncCategory.ACCOUNT
        )
        session = sessions.order_by("-started_at").first()
        record = session and session.records.filter(instance=instance).first()
        accounts = AccountPermission.objects.present().shown().filter(instance=instance)
        found = accounts.filter(risk__level__gte=RiskLevel.MEDIUM.rank)
        riskiest = found.select_related("account", "risk").order_by("-risk__level", "pk")
        return self._page(
            request,
            "sync/first_reading.html",
            _("First reading of %(name)s") % {"name": instance.name},
            instance=instance,
            instance_url=change_url(instance),
            session=session,
            session_url=change_url(session) if session else "",
            record=record,
            bar=progress_bar(session) if session else "",
            no_worker=bool(session and not session.has_ended and not queue.live_workers()),
            total=accounts.count(),
            accounts_url=list_url("accounts_instanceaccount", instance__id__exact=instance.pk),
            riskiest=[
                (show.link(change_url(one.account), one.account.username), _risk(one))
                for one in riskiest[:RISKS_SHOWN]
            ],
        )

    def _page(
        self, request: HttpRequest, template: str, title: Any, **context: Any
    ) -> TemplateResponse:
        site: Any = self.admin_site  # type: ignore[attr-defined]
        return TemplateResponse(
            request, template, {**site.each_context(request), "title": title, **context}
        )


def check_may_manage(request: HttpRequest) -> None:
    if not has_right(request.user, "manage"):
        raise PermissionDenied


def _risk(permission: AccountPermission) -> Any:
    level = next(one for one in RiskLevel if one.rank == permission.risk.level)  # type: ignore[attr-defined]
    return show.state(level.value, level.label)
