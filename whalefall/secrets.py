"""Keys of this installation: from the environment in production, generated once in development."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


def require_key(folder: Path, name: str) -> str:
    """Always raises: outside development a key must be given, never made up."""
    raise ImproperlyConfigured(
        f"{name} is not set. Set it in the environment to a Fernet key (one is printed by: "
        'python -c "from cryptography.fernet import Fernet; '
        'print(Fernet.generate_key().decode())"), or set WHALEFALL_DEV=1 for a development run '
        "that keeps generated keys under var/."
    )


def development_key(folder: Path, name: str) -> str:
    """The key kept in `folder`, made on first use, readable by its owner only."""
    path = folder / f"{name.lower()}.key"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: of several processes that start together, one writes and the others read.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(handle, "w") as file:
        file.write(Fernet.generate_key().decode())
    return _read(path)


def _read(path: Path) -> str:
    key = path.read_text().strip()
    if not key:
        raise ImproperlyConfigured(f"The key file {path.name} is empty: remove it and start again.")
    return key
