"""From nothing to a server that is read: the form of the guide, and what it saves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from sync import queue, runner
from sync.models import SyncSession, SyncType
from whalefall.engines.base import Target
from whalefall.instances.models import Credential, Instance

PORTS = {"mysql": 3306, "postgresql": 5432, "sqlserver": 1433, "oracle": 1521}
MUST_NAME_A_DATABASE = {"oracle": _("The service to connect to, such as ORCLPDB1.")}


class ServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """An instance together with its login: a stored credential, or a user name and a password."""

    credential = forms.ModelChoiceField(
        Credential.objects.none(),
        label=_("Stored credential"),
        required=False,
        empty_label=_("a new one, from the fields below"),
        widget=UnfoldAdminSelectWidget,
    )
    username = forms.CharField(
        label=_("User name"), max_length=128, required=False, widget=UnfoldAdminTextInputWidget
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1024,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    field_order = [
        "name",
        "environment",
        "host",
        "port",
        "database_name",
        "tls_mode",
        "credential",
        "username",
        "password",
        "tls_ca",
    ]

    class Meta:
        model = Instance
        fields = ("name", "environment", "host", "port", "database_name", "tls_mode", "tls_ca")
        widgets = {
            "name": UnfoldAdminTextInputWidget,
            "environment": UnfoldAdminTextInputWidget,
            "host": UnfoldAdminTextInputWidget,
            "port": UnfoldAdminIntegerFieldWidget,
            "database_name": UnfoldAdminTextInputWidget,
            "tls_mode": UnfoldAdminSelectWidget,
            "tls_ca": UnfoldAdminTextareaWidget(
                attrs={"rows": 4, "placeholder": "-----BEGIN CERTIFICATE-----"}
            ),
        }

    def __init__(self, *args: Any, db_type: str, login: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.db_type = db_type
        self.fields["port"].initial = PORTS[db_type]
        self.fields["username"].initial = login
        of_engine = Credential.objects.filter(is_active=True, db_type__in=(db_type, ""))
        self.fields["credential"].queryset = of_engine  # type: ignore[attr-defined]
        if db_type in MUST_NAME_A_DATABASE:
            self.fields["database_name"].required = True
            self.fields["database_name"].help_text = MUST_NAME_A_DATABASE[db_type]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not values.get("credential"):
            for name in ("username", "password"):
                if not values.get(name):
                    self.add_error(name, ValidationError(_("This field is required."), "required"))
            if Credential.objects.filter(name=values.get("name")).exists():
                message = _("There is a credential called %(name)s already: choose it above.")
                self.add_error(
                    "name", ValidationError(message, "unique", {"name": values.get("name")})
                )
        return values

    def target(self) -> Target:
        """Where the test connects to; nothing is saved. Only of a valid form."""
        self.instance.credential = self.cleaned_data["credential"] or self._new_credential()
        return self.instance.target()

    def _new_credential(self) -> Credential:
        values = self.cleaned_data
        return Credential(
            name=values["name"],
            db_type=self.instance.db_type,
            username=values["username"],
            password=values["password"],
        )

    @transaction.atomic
    def register(self) -> Instance:
        """The instance and, unless a stored one was chosen, its credential of the same name."""
        instance, credential = self.instance, self.cleaned_data["credential"]
        if credential is None:
            credential = self._new_credential()
            credential.save()
        instance.credential = credential
        instance.save()
        return instance


def read_first(instance: Instance, person: Any) -> SyncSession:
    """Its accounts are read by a worker; where none is alive, here and now."""
    has_workers = queue.live_workers() > 0
    session = SyncSession.objects.start(
        SyncType.MANUAL_BATCH, [instance], created_by=person, enqueue=has_workers
    )
    if not has_workers:
        for record in session.records.all():
            runner.run_record(record.pk)
        session.refresh_from_db()
    return session
