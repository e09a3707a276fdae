"""`python -m demo [run|serve|stop]`: what `make demo`, `make serve` and `make stop` do."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import django

COMMANDS = ("run", "serve", "stop")


def main() -> int:
    command = sys.argv[1] if len(sys.argv) > 1 else "run"
    if command not in COMMANDS:
        print(f"Unknown command: {command}. Must be one of: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whalefall.settings")
    os.environ.setdefault("WHALEFALL_DEV", "1")
    os.environ.setdefault("WHALEFALL_LOG_LEVEL", "WARNING")
    signal.signal(signal.SIGTERM, _leave)  # so that everything we started is ended on the way out
    django.setup()
    from demo import processes, run, serve

    try:
        if command == "stop":
            for name in processes.stop_everything():
                print(f"ended {name}")
            return 0
        return {"run": run.main, "serve": serve.main}[command]()
    except processes.Busy as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
