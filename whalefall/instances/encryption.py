"""Passwords at rest: MultiFernet over the keys of CREDENTIAL_KEYS, the first encrypts."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def cipher() -> MultiFernet:
    """Raises ImproperlyConfigured when a key is no Fernet key."""
    try:
        return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
    except ValueError as exc:
        raise ImproperlyConfigured(
            "CREDENTIAL_KEYS must hold Fernet keys (32 bytes, url-safe base64) separated by commas."
        ) from exc


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the table and plain on the instance. Cannot be searched."""

    def get_prep_value(self, value: Any) -> str | None:
        text = super().get_prep_value(value)
        return None if text is None else cipher().encrypt(text.encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value is None:
            return None
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken as exc:
            raise ImproperlyConfigured(
                "A stored password was encrypted with a key that is not in CREDENTIAL_KEYS."
            ) from exc
