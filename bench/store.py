"""A store of its own for a measurement, in a temporary folder that goes with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_store(keep: Path | None = None) -> Iterator[None]:
    """Set up Django on a fresh, migrated, durable embedded store. To be used once per process.
    With `keep` it is that folder's, which stays.
    """
    folder = keep or Path(tempfile.mkdtemp(prefix="whalefall-bench-"))
    os.environ |= {
        "WHALEFALL_DEV": "1",
        "WHALEFALL_VAR": str(folder),
        "WHALEFALL_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "whalefall.settings",
    }
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.core.management import call_command

    from whalefall.store import embedded

    try:
        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        if (folder / "store").exists():
            embedded.stop(folder / "store")
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
