"""manage.py sync accounts|capacity [NAME ...] [--tag T] [--all] [--inline] [--no-wait] [--json]"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sync import queue, runner
from sync.models import SyncCategory, SyncSession, SyncType
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.instances.models import Instance

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 5
"""How long nothing may happen before we look whether there is a worker at all."""

CATEGORIES = {"accounts": SyncCategory.ACCOUNT, "capacity": SyncCategory.CAPACITY}
COLUMNS = {
    "instance_name": _("instance"),
    "status": _("state"),
    "items_synced": _("read"),
    "items_created": _("new"),
    "items_updated": _("changed"),
    "items_deleted": _("gone"),
    "error_message": _("error"),
}


class Command(BaseCommand):
    help = _("Read instances and store what changed, through the workers or in this process.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("what", choices=tuple(CATEGORIES))
        parser.add_argument("names", nargs="*", metavar="NAME", help=_("names or ids"))
        parser.add_argument("--tag", action="append", default=[])
        parser.add_argument("--all", action="store_true", help=_("every watched instance"))
        parser.add_argument("--inline", action="store_true", help=_("in this process, in turn"))
        parser.add_argument("--no-wait", action="store_true", help=_("do not wait for the end"))

    def handle(self, *args: Any, **options: Any) -> None:
        instances = _chosen(options["names"], options["tag"], options["all"])
        inline = options["inline"]
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH,
            instances,
            sync_category=CATEGORIES[options["what"]],
            enqueue=not inline,
        )
        if options["no_wait"] and not inline:
            self._show_started(session, options["as_json"])
            return
        try:
            self._run(session) if inline else self._wait(session)
        except KeyboardInterrupt:
            raise CommandError(
                _("Not waiting any more; session %(id)s goes on.") % {"id": session.session_id}
            ) from None
        self._show(session, options["as_json"])

    def _run(self, session: SyncSession) -> None:
        with self._bar(session) as show:
            for pk in session.records.values_list("pk", flat=True):
                runner.run_record(pk)
                show()

    def _wait(self, session: SyncSession) -> None:
        with self._bar(session) as show:
            done, since, warned = -1, time.monotonic(), False
            while not session.has_ended:
                finished = show()
                if finished != done:
                    done, since = finished, time.monotonic()
                elif not warned and time.monotonic() - since > PATIENCE_SECONDS:
                    warned = self._warn_without_workers()
                time.sleep(POLL_SECONDS)
                session.refresh_from_db()
            show()

    def _warn_without_workers(self) -> bool:
        if queue.live_workers():
            return False
        self.stderr.write(_("No worker is alive: start manage.py qcluster, or use --inline."))
        return True

    @contextmanager
    def _bar(self, session: SyncSession) -> Iterator[Any]:
        """Gives a function that draws the progress of now and returns how many records ended."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        # On stderr: stdout is for the result.
        console = Console(stderr=True)
        with Progress(
            *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
        ) as bar:
            task = bar.add_task(session.get_sync_category_display(), total=session.total_instances)

            def show() -> int:
                states = session.progress()
                ended = states["total"] - states["pending"] - states["running"]
                bar.update(task, completed=ended)
                return ended

            yield show

    def _show_started(self, session: SyncSession, as_json: bool) -> None:
        started = {"session_id": session.session_id, "instances": session.total_instances}
        if as_json:
            self.show_json(started)
        else:
            self.stdout.write(
                _("Session %(session_id)s started over %(instances)d instances.") % started
            )

    def _show(self, session: SyncSession, as_json: bool) -> None:
        session.refresh_from_db()
        rows = list(session.records.order_by("instance_name").values(*COLUMNS))
        if as_json:
            self.show_json(
                {"session_id": session.session_id, "status": session.status, "records": rows}
            )
        else:
            self.show(rows, COLUMNS, as_json, title=f"{session.session_id}: {session.status}")
        if session.status != SyncSession.Status.COMPLETED:
            raise CommandError(
                _("%(failed)d of %(total)d instances failed.")
                % {"failed": session.failed_instances, "total": session.total_instances}
            )


def _chosen(names: list[str], tags: list[str], everything: bool) -> list[Instance]:
    """The instances meant: by name or id, by any of the tags, or all that are watched."""
    watched = Instance.objects.watched()
    if everything:
        return list(watched)
    if not names and not tags:
        raise CommandError(_("Which instances? Give names, --tag or --all."))
    chosen = {found.pk: found for found in (find(watched, name) for name in names)}
    tagged = list(watched.filter(tags__name__in=tags).distinct())
    if tags and not tagged:
        raise CommandError(
            _("No watched instance has the tag %(tags)s.") % {"tags": ", ".join(tags)}
        )
    chosen |= {found.pk: found for found in tagged}
    return list(chosen.values())
