"""`make demo`: the main job of WhaleFall, told once from the beginning to the end on real servers.

It goes through the doors that people use (management commands, real workers) and fails when what
it came to show is not there.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from django.core.management import call_command
from django.core.management.base import CommandError
from rich.console import Console

from demo import counts, expected, fleet, history, show
from demo.people import PASSWORD_FILE, administrator
from demo.processes import FOLDER, alone, child, store, workers
from demo.servers import Watched, watched
from sync.models import SyncSession

console = Console(highlight=False, width=None if sys.stdout.isatty() else 180)


def main() -> int:
    """0 when everything was shown that was to be shown, else 1 with what was missing."""
    started = time.monotonic()
    try:
        problems = story()
    except CommandError as exc:
        console.print(f"[bold red]{exc}[/]")
        return 1
    for problem in problems:
        console.print(f"[bold red]Not as expected:[/] {problem}", soft_wrap=True)
    if problems:
        return 1
    console.print(f"\n[bold green]Done[/] in {time.monotonic() - started:.0f} s.")
    return 0


def story() -> list[str]:
    with ExitStack() as stack:
        stack.enter_context(alone())
        servers = chapter_servers(stack)
        chapter_register(servers)
        stack.enter_context(child("workers", *workers()))
        first = chapter_session(servers)
        chapter_risks(servers)
        chapter_access(servers)
        second = chapter_second_round(servers)
        chapter_capacity(servers)
        chapter_doors()
        return expected.problems(servers, first, second)


def chapter_servers(stack: ExitStack) -> list[Watched]:
    heading("1", "A store, and a fleet that nobody has looked at for years")
    stack.enter_context(store())
    servers, missing = watched(FOLDER)
    for reason in missing:
        console.print(f"[yellow]Left out:[/] {reason}")
    for server in servers:
        fleet.refill(server)
        stack.callback(server.stop)
        console.print(f"{server.instance}: {server.product} on port {server.port}, filled")
    if any(server.simulated for server in servers):
        console.print(
            f"[yellow]Simulated[/] means: {fleet.NOTE.partition(': ')[2]}", soft_wrap=True
        )
    return servers


def chapter_register(servers: list[Watched]) -> None:
    heading("2", "Register them, with a login that may only read")
    for server in servers:
        said(f"collector_grants {server.db_type}", f"add_instance {server.instance} ...")
        fleet.register(server)
        run("test_connection", server.instance)
    call_command("load_rules", stdout=Quiet())


def chapter_session(servers: list[Watched]) -> SyncSession:
    heading("3", "Read every account and privilege, through the workers")
    return synchronised(servers)


def synchronised(servers: list[Watched]) -> SyncSession:
    run("sync", "accounts", *(server.instance for server in servers))
    session = SyncSession.objects.first()
    assert session is not None  # the command has just made it
    return session


def chapter_risks(servers: list[Watched]) -> None:
    heading("4", "Who is risky, by which rule, through which path")
    classified()
    show.risks(console, [server.instance for server in servers])


def classified() -> None:
    """The workers classified what they read; asked again there is little left to do. The command
    also prints every rule with its counts: here its last line is enough.
    """
    said("classify")
    console.print(fleet.command("classify").splitlines()[-1], soft_wrap=True)


def chapter_access(servers: list[Watched]) -> None:
    heading("5", "Who can change the money?")
    for server in servers:
        run("access", "UPDATE", server.table, "--instance", server.instance)


def chapter_second_round(servers: list[Watched]) -> SyncSession:
    heading("6", "A night later: a GRANT, a REVOKE, a new account, a dropped one")
    for server in servers:
        server.change()
    session = synchronised(servers)
    classified()
    show.changes(console, session)
    return session


def chapter_capacity(servers: list[Watched]) -> None:
    heading("7", "How big is it all, how fast does it grow, when is it full?")
    run("sync", "capacity", *(server.instance for server in servers))
    console.print(f"[dim]A year of history, made up: {history.make()}.[/]", soft_wrap=True)
    console.print(f"[dim]Accounts by risk before today, made up: {counts.make()} days.[/]")
    run("capacity", "full")
    run("capacity", "movers", "--limit", "5")


def chapter_doors() -> None:
    heading("8", "Look around yourself")
    name, password = administrator()
    for line in (
        "[bold]make serve[/] opens the admin on the same data, with workers and servers.",
        f"Log in as [bold]{name}[/], password {password} (kept in {PASSWORD_FILE}).",
        "[bold]make stop[/] ends everything, [bold]make clean[/] removes it.",
    ):
        console.print(line, soft_wrap=True)


def heading(number: str, text: str) -> None:
    console.print()
    console.rule(f"[bold]{number}. {text}", align="left")


def said(*commands: str) -> None:
    for words in commands:
        console.print(f"[dim]$ manage.py {words}[/]", soft_wrap=True)


def run(*words: str) -> None:
    """A management command in front of the reader."""
    said(" ".join(words))
    call_command(*words)


class Quiet:
    def write(self, text: str) -> int:
        return len(text)
