"""Starts `manage.py qcluster` from a process that has everything loaded: a fork instead of a second
of imports. Each line read starts one; the answer is its process group.
"""

import os
import signal
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whalefall.settings")
    sys.argv = ["manage.py", "qcluster"]  # the settings look at it
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    for name in ("sync.tasks", "whalefall.engines.mysql.engine", "django_q.cluster"):
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried by the kernel
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            execute_from_command_line(sys.argv)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
