"""The page on which a person chooses language and time zone."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget

from whalefall.models import User
from whalefall.preferences import speak


def zones() -> list[tuple[str, Any]]:
    """(name, name) of the tz database; the system's own first, as the empty choice."""
    names = sorted(available_timezones() - {"localtime", "Factory"})
    own = _("as the system: %(zone)s") % {"zone": settings.TIME_ZONE}
    return [("", own), *((name, name) for name in names)]


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("as the browser asks")), *settings.LANGUAGES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zones,
        required=False,
        widget=UnfoldAdminSelect2Widget,
        help_text=_("Of the times in the console. Schedules and the API keep the system's."),
    )

    class Meta:
        model = User
        fields = ("language", "time_zone")


def preferences(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """GET shows the form, POST saves it and comes back, in the language just chosen."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        person = form.save()
        speak(request, person.language)
        messages.success(request, translation.gettext("Saved."))
        return HttpResponseRedirect(reverse("admin:preferences"))
    title = _("Language and time zone")
    return TemplateResponse(
        request, "console/preferences.html", {**context, "form": form, "title": title}
    )
