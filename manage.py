#!/usr/bin/env python3
"""Entry point of every WhaleFall command."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whalefall.settings")
    from django.core.exceptions import ImproperlyConfigured

    try:
        from whalefall.command_log import execute

        execute(sys.argv)
    except ImproperlyConfigured as exc:
        sys.exit(str(exc))  # it says what to set; a traceback would bury it


if __name__ == "__main__":
    main()
