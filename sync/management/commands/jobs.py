"""manage.py jobs list | run NAME | pause NAME | resume NAME | cron NAME EXPRESSION"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from sync import jobs, queue
from whalefall.commands import Command as BaseCommand


class Command(BaseCommand):
    help = _("The built-in jobs: list, run now, pause, resume, change when.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=("list", "run", "pause", "resume", "cron"))
        parser.add_argument("name", nargs="?")
        parser.add_argument("expression", nargs="?", help=_("five fields, in quotes"))

    def handle(self, *args: Any, **options: Any) -> None:
        action, name = options["action"], options["name"]
        if action == "list":
            self._list(options["as_json"])
            return
        if name is None:
            raise CommandError(_("Which job? One of: %(names)s") % {"names": ", ".join(jobs.JOBS)})
        try:
            self.stdout.write(getattr(self, f"_{action}")(name, options["expression"]))
        except LookupError as exc:
            raise CommandError(str(exc)) from exc
        except ValidationError as exc:
            raise CommandError(" ".join(exc.messages)) from exc

    def _list(self, as_json: bool) -> None:
        jobs.create_schedules()
        rows = [
            {
                "name": found.name,
                "title": str(jobs.JOBS[found.name].title),
                "cron": found.cron,
                "next_run": None if jobs.is_paused(found) else found.next_run,
                "is_paused": jobs.is_paused(found),
            }
            for found in jobs.schedules()
        ]
        columns = {
            "name": _("job"),
            "title": _("does"),
            "cron": _("when"),
            "next_run": _("next"),
            "is_paused": _("paused"),
        }
        self.show(rows, columns, as_json)

    def _run(self, name: str, expression: str | None) -> str:
        jobs.run(name)
        if not queue.live_workers():
            return _("%(job)s is queued, but no worker is alive: start manage.py qcluster.") % {
                "job": name
            }
        return _("%(job)s is queued.") % {"job": name}

    def _pause(self, name: str, expression: str | None) -> str:
        jobs.pause(name)
        return _("%(job)s is paused.") % {"job": name}

    def _resume(self, name: str, expression: str | None) -> str:
        found = jobs.resume(name)
        return _("%(job)s runs again, next at %(time)s.") % {"job": name, "time": found.next_run}

    def _cron(self, name: str, expression: str | None) -> str:
        found = jobs.set_cron(name, expression or "")
        return _("%(job)s runs next at %(time)s.") % {"job": name, "time": found.next_run}
