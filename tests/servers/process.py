"""Server processes that cannot outlive the test run, and folders that two runs may fill at once."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.base import Unavailable

PR_SET_PDEATHSIG = 1
_refused: dict[Path, Unavailable] = {}


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent goes, so that `kill -9` of pytest leaves no
    server. (The parent is the *thread* that starts it: start servers from one that lives on.)
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(
    arguments: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that dies with us, its output appended to `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            # prctl only: nothing here takes a lock that another thread could hold at the fork.
            preexec_fn=_die_with_parent,
        )


def run(
    arguments: Sequence[str | Path],
    what: str,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> str:
    """The output of a command that ends by itself. Raises RuntimeError with its last lines."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{what} failed: {output[-2000:]}")
    return output


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` over all processes of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def unpacked(folder: Path, unpack: Callable[[Path], None]) -> Path:
    """`folder`, filled by `unpack` the first time: in a temporary folder that is renamed when
    done, so that nobody ever sees half of it. Where it cannot be had, asking again in this process
    gives the same answer without another minute of trying.
    """
    if folder in _refused:
        raise _refused[folder]
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            started = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
            try:
                unpack(started)
                started.chmod(0o755)
                started.rename(folder)
            except Unavailable as exc:
                _refused[folder] = exc
                raise
            finally:
                shutil.rmtree(started, ignore_errors=True)
    return folder
