"""Looks for the planted secrets in the traces of a run, in any form (`tests.secret_scan`)."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests import secret_scan

COMPRESSED = re.compile(rb"(?<![A-Za-z0-9+/_-])e[A-P][A-Za-z0-9+/_-]{22,}")
"""What begins like this in base64 may be zlib: tasks of the queue, sessions."""


def leaks(paths: Iterable[Path], secrets: dict[str, str]) -> set[str]:
    """`where: what it is`, for each of the secrets (text -> what it is) that one of the files
    holds. Lines begin with where they are from and a tab, or else the file's name tells.

    grep looks for all of them at once; what it finds is named here.
    """
    files = [path for path in paths if path.is_file() and path.stat().st_size]
    if not files or not secrets:
        return set()
    named = {f"{what} ({text[:3]}...)": text for text, what in secrets.items()}
    found: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        unwrapped = Path(folder, "unwrapped")
        with unwrapped.open("wb") as out:
            for path in files:
                out.writelines(_unwrapped(path))
        for path, line in _grep([*files, unwrapped], secrets, Path(folder, "forms")):
            where, tab, data = line.partition(b"\t")
            place = where.decode(errors="replace") if tab and len(where) < 100 else path
            found |= secret_scan.leaks(place, data if tab else line, named)
    return found


def _grep(files: list[Path], secrets: Iterable[str], forms: Path) -> Iterator[tuple[str, bytes]]:
    """(file, line) for each line that holds one of the forms."""
    wanted = {form for secret in secrets for form in secret_scan.forms(secret)}
    forms.write_bytes(b"\n".join(form for form in wanted if b"\n" not in form) + b"\n")
    command = ["grep", "-a", "-H", "-Z", "-F", "-f", forms, *files]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}, check=False
    )
    if done.returncode > 1:
        raise RuntimeError("grep could not read the traces of the run")
    for line in done.stdout.splitlines():
        name, _zero, text = line.partition(b"\0")
        yield Path(os.fsdecode(name)).name, text


def _unwrapped(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        for line in lines:
            where = line.partition(b"\t")[0]
            for hit in COMPRESSED.finditer(line):
                for piece in secret_scan.unwrapped(hit.group()):
                    yield where + b"\t" + piece.replace(b"\n", b"\\n") + b"\n"
