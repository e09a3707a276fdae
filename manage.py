#!/usr/bin/env python3
"""Entry point of every WhaleFall command."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whalefall.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        sys.exit(str(exc))  # it says what to set; a traceback would bury it


if __name__ == "__main__":
    main()
