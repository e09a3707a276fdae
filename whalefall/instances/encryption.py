"""Passwords at rest: MultiFernet over the keys of CREDENTIAL_KEYS, the first encrypts."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class Secret(str):
    """Text that does not show in a repr: of a row, a dict of values, a traceback's frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def cipher() -> MultiFernet:
    """Raises ImproperlyConfigured when a key is no Fernet key."""
    try:
        return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
    except ValueError as exc:
        raise ImproperlyConfigured(
            "CREDENTIAL_KEYS must hold Fernet keys (32 bytes, url-safe base64) separated by commas."
        ) from exc


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the table and plain on the instance. Cannot be searched.

    Forms never show it; `dumpdata` writes, and `loaddata` reads, the encrypted text.
    """

    def get_prep_value(self, value: Any) -> str | None:
        text = super().get_prep_value(value)
        return None if text is None else cipher().encrypt(text.encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret | None:
        if value is None:
            return None
        try:
            return Secret(cipher().decrypt(value.encode()).decode())
        except InvalidToken as exc:
            raise ImproperlyConfigured(
                "A stored password was encrypted with a key that is not in CREDENTIAL_KEYS."
            ) from exc

    def to_python(self, value: Any) -> Secret | None:
        if value is None or isinstance(value, Secret):
            return value
        try:
            return Secret(cipher().decrypt(str(value).encode()).decode())
        except InvalidToken:  # plain, as a person types it
            return Secret(value)

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def formfield(self, **kwargs: Any) -> Any:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        return super().formfield(**{**kwargs, "widget": widget})
