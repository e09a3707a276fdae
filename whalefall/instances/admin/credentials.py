"""Pages of credentials: what goes in never comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import (
    ChoicesCheckboxFilter,
)
from unfold.widgets import UnfoldAdminPasswordWidget

from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.cards import list_url
from whalefall.console.pages import RoleAdmin
from whalefall.instances.models import Credential


class CredentialForm(forms.ModelForm):
    """The password goes in and never comes out: left empty it stays what it was."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Credential
        fields = ("name", "db_type", "username", "password", "description", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("password", None)
        if self.instance.pk and "password" in self.fields:
            self.fields["password"].help_text = _("Leave empty to keep the stored one.")

    def clean_password(self) -> str:
        given: str = self.cleaned_data["password"]
        if given:
            return given
        if not self.instance.pk:
            raise ValidationError(_("A new credential needs a password."), code="required")
        return self.instance.password


@admin.register(Credential)
class CredentialAdmin(RoleAdmin):
    menu = "fleet"
    menu_icon = "key"
    menu_order = 20
    form = CredentialForm
    list_display = ("name", "username", "engine_label", "is_active", "used_by", "updated")
    list_filter = (("db_type", ChoicesCheckboxFilter), "is_active")
    search_fields = ("name", "username", "description")
    fieldsets = (
        (None, {"fields": (("name", "db_type"), ("username", "password"), "description")}),
        (None, {"fields": ("is_active",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        present = Count("instances", filter=Q(instances__deleted_at=None))
        return super().get_queryset(request).annotate(number_of_instances=present)

    def refusals(self, objs: Sequence[Any]) -> list[str]:
        """One that an instance uses, be it in the recycle bin, stays."""
        found = []
        for credential in objs:
            if number := credential.instances.count():
                text = ngettext(
                    "%(name)s is used by %(n)d instance: give it another one first.",
                    "%(name)s is used by %(n)d instances: give them another one first.",
                    number,
                )
                found.append(text % {"name": credential, "n": number})
        return found

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        return Consequences(
            happens=(_("The user name and the password that are stored here."),),
            stays=(_("The login on the servers: remove it there."),),
            back=_("Enter it anew; nobody here can read the password back."),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not edit gets no password field: a read-only field would show its value."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return ((None, {"fields": ("name", "db_type", "username", "description", "is_active")}),)

    @admin.display(description=_("engine"), ordering="db_type")
    def engine_label(self, credential: Credential) -> Any:
        return credential.get_db_type_display() or _("any")

    @admin.display(description=_("instances"), ordering="number_of_instances")
    def used_by(self, credential: Any) -> Any:
        url = list_url("instances_instance", credential__id__exact=credential.pk)
        return show.link(url, credential.number_of_instances)

    @admin.display(description=_("updated"), ordering="updated_at")
    def updated(self, credential: Credential) -> Any:
        return show.ago(credential.updated_at)
