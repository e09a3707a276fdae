"""What Django's own validators of passwords leave out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 128
"""ASVS 2.1.2: room for a sentence, none for a book that costs a server to hash."""


class MaximumLengthValidator:
    """Refuses what is longer than LONGEST characters."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) > LONGEST:
            message = _("This password is too long. It may have %(most)d characters.")
            raise ValidationError(message % {"most": LONGEST}, code="password_too_long")

    def get_help_text(self) -> str:
        return _("Your password may have at most %(most)d characters.") % {"most": LONGEST}
