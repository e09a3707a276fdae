"""The page that takes instances from a CSV file: check it, see what is wrong where, import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from tags.importing import create, read_upload
from whalefall.auth import has_right
from whalefall.console.cards import list_url
from whalefall.console.pages import extend, page
from whalefall.instances.imports import COLUMNS, Import
from whalefall.instances.models import Instance

PAGE = "instances_import"


class UploadForm(forms.Form):
    """The file is sent anew with each step: nothing is kept between them."""

    file = forms.FileField(label=_("CSV file"), widget=UnfoldAdminFileFieldWidget)
    partial = forms.BooleanField(
        label=_("Import the good rows although others are not good"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )

    def clean_file(self) -> Any:
        try:
            self.found: Import = read_upload(self.cleaned_data["file"])
        except ValueError as exc:
            raise forms.ValidationError(str(exc)) from exc
        return self.cleaned_data["file"]


@extend(Instance)
class ImportedInstances:
    """The button above the list of instances, and the page behind it."""

    actions_list = ("import_file",)

    def get_urls(self) -> list[URLPattern]:
        view: Any = self.admin_site.admin_view(self.import_view)  # type: ignore[attr-defined]
        return [path("import/", view, name=PAGE), *super().get_urls()]  # type: ignore[misc]

    @action(description=_("Import CSV"), icon="upload_file", permissions=["manage"])  # type: ignore[arg-type]
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{PAGE}"))

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: what is in the file, and with `step=import` its instances."""
        if not has_right(request.user, "manage"):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method != "POST" or not form.is_valid():
            return _shown(request, form)
        found = form.found
        wanted = request.POST.get("step") == "import"
        if wanted and found.rows and (form.cleaned_data["partial"] or not found.errors):
            return self._import(request, found)
        return _shown(request, form, found)

    def _import(self, request: HttpRequest, found: Import) -> HttpResponse:
        created = create(found)
        for instance in created:
            self.log_addition(request, instance, [{"added": {}}])  # type: ignore[attr-defined]
        text = ngettext("%(n)d instance imported.", "%(n)d instances imported.", len(created))
        self.message_user(request, text % {"n": len(created)}, messages.SUCCESS)  # type: ignore[attr-defined]
        return HttpResponseRedirect(list_url("instances_instance"))


def _shown(request: HttpRequest, form: UploadForm, found: Import | None = None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "columns": COLUMNS}
    if found is not None:
        context |= {"checked": True, "good": len(found.rows), "errors": found.errors}
    return page(request, "tags/import_instances.html", _("Import instances"), Instance, context)
