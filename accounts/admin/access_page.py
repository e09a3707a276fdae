"""Who has access to ...: a question across the fleet, its state in the address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext_lazy as _

from accounts import access_csv
from accounts.access import Access, UnknownQuestion
from accounts.models import AccountPermission, InstanceAccount
from accounts.tree import SCOPES
from tags.models import Tag
from whalefall import xlsx
from whalefall.console.pages import page
from whalefall.console.paginator import EstimatingPaginator
from whalefall.engines.observed import Scope
from whalefall.exports import csv_response
from whalefall.instances.models import DB_TYPE_CHOICES, Instance

ACCESS = "accounts_instanceaccount_access"
ACCOUNTS_SHOWN = 50
ENGINES = dict(DB_TYPE_CHOICES)
ANY = ("", _("any"))


class AccessForm(forms.Form):
    """The question. Instances and tags are given by name, as people know them."""

    privilege = forms.CharField(label=_("Privilege"), max_length=200)
    object = forms.CharField(label=_("On"), max_length=1000, required=False)
    scope = forms.ChoiceField(
        label=_("Scope"),
        choices=[
            ("", _("as named")),
            *((each.value, SCOPES.get(each.value, each.value)) for each in Scope),
        ],
        required=False,
    )
    db_type = forms.ChoiceField(label=_("Engine"), choices=[ANY, *DB_TYPE_CHOICES], required=False)
    instance = forms.CharField(label=_("Instance"), max_length=100, required=False)
    tag = forms.ModelChoiceField(
        Tag.objects.filter(is_active=True),
        label=_("Tag"),
        to_field_name="name",
        required=False,
        empty_label=_("any"),
    )
    reach = forms.BooleanField(label=_("also who needs SET ROLE first"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "" if name == "reach" else "wf-input"
        self.fields["privilege"].widget.attrs |= {"placeholder": "UPDATE", "spellcheck": "false"}
        self.fields["object"].widget.attrs |= {
            "placeholder": _("db.schema.table.column; empty: the whole server"),
            "spellcheck": "false",
        }
        self.fields["instance"].widget.attrs |= {"placeholder": _("any")}

    def instances(self) -> QuerySet[Instance]:
        """Those that are asked about."""
        given = self.cleaned_data
        found: QuerySet[Instance] = Instance.objects.present()
        if given["db_type"]:
            found = found.filter(db_type=given["db_type"])
        if given["instance"]:
            found = found.filter(name__icontains=given["instance"])
        return found.filter(tags=given["tag"]) if given["tag"] else found

    def access(self) -> Access:
        """Raises UnknownQuestion."""
        given = self.cleaned_data
        return Access(
            given["privilege"],
            given["object"],
            scope=given["scope"],
            instances=self.instances(),
            reach=given["reach"],
        )


class AccessPage:
    """A mixin for the admin of accounts."""

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view(self.access_view)  # type: ignore[attr-defined]
        return [path("access/", view, name=ACCESS), *super().get_urls()]  # type: ignore[misc]

    def access_view(self, request: HttpRequest) -> HttpResponseBase:
        """The form alone, its answer a page at a time, or all of it as CSV or XLSX (`export`)."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        form = AccessForm(request.GET if "privilege" in request.GET else None)
        context: dict[str, Any] = {"form": form}
        if form.is_bound and form.is_valid():
            try:
                access = form.access()
            except UnknownQuestion as exc:
                context["error"] = str(exc)
            else:
                if "export" in request.GET:
                    download = xlsx.response if request.GET["export"] == "xlsx" else csv_response
                    return download("access", access_csv.HEADER, access_csv.rows(access))
                context |= _answer(request, access)
        return _shown(request, context)


def _shown(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return page(request, "accounts/access.html", _("Who has access to …"), InstanceAccount, context)


def _answer(request: HttpRequest, access: Access) -> dict[str, Any]:
    paginator: Paginator[AccountPermission] = EstimatingPaginator(access.accounts(), ACCOUNTS_SHOWN)
    shown = paginator.get_page(request.GET.get("p"))
    return {
        "asked": access,
        "page": shown,
        "rows": [(found, access.ways(found)) for found in shown],
        "understood": [
            {**each, "engine": ENGINES[each["db_type"]]} for each in access.understood()
        ],
        "unknown": access.unknown(),
    }
