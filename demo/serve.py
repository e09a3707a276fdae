"""`make serve`: the admin and the API on the demo's data, with workers and the watched servers."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from contextlib import ExitStack

from rich.console import Console

from demo import fleet
from demo.people import PASSWORD_FILE, administrator
from demo.processes import FOLDER, alone, child, store, wait_for, workers
from demo.servers import is_free, watched
from tests.servers.base import free_port

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run until one of the children ends or somebody ends us. 1 when a child ended by itself."""
    with ExitStack() as stack:
        stack.enter_context(alone())
        stack.enter_context(store())
        start_watched(stack)
        name, password = administrator()
        port = web_port()
        bind = ["-m", "gunicorn", "whalefall.wsgi", "--bind", f"127.0.0.1:{port}"]
        web = stack.enter_context(child("web", *bind, "--workers", "2", "--threads", "4"))
        tasks = stack.enter_context(child("workers", *workers()))
        wait_for(lambda: answers(port) or web.poll() is not None, "the web server")
        if web.poll() is None:
            console.print(f"The admin:     http://127.0.0.1:{port}/admin/")
            console.print(f"Log in as:     {name}, {password}  (kept in {PASSWORD_FILE})")
            console.print(f"The API:       http://127.0.0.1:{port}/api/v1/docs")
            console.print(f"Logs:          {FOLDER}/web.log, workers.log")
            console.print("Ctrl-C, or make stop in another terminal, ends all of it.")
        return until_one_ends(web=web, workers=tasks)


def start_watched(stack: ExitStack) -> None:
    """Start the watched servers that an earlier `make demo` filled."""
    servers, _ = watched(FOLDER)
    filled = [server for server in servers if (server.folder / "data").exists()]
    for server in filled:
        server.start()
        stack.callback(server.stop)
        fleet.moved(server)
        console.print(f"{server.product} ({server.instance}) listens on port {server.port}")
    if not filled:
        console.print("No watched servers here yet: make demo makes and fills them.")


def web_port() -> int:
    """PORT, else 8000, else a free one when that is taken."""
    if "PORT" in os.environ:
        return int(os.environ["PORT"])
    return 8000 if is_free(8000) else free_port()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/v1/health/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def until_one_ends(**children: subprocess.Popen[bytes]) -> int:
    while True:
        for name, process in children.items():
            if process.poll() is not None:
                log = FOLDER / f"{name}.log"
                console.print(f"[red]{name} ended with status {process.returncode}, see {log}[/]")
                return 1
        time.sleep(0.5)
