"""manage.py add_instance NAME --engine E --host H --username U --password-env VAR ..."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from tags.attach import attach
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.engines import DB_TYPES, engine
from whalefall.instances.models import Credential, Instance


class Command(BaseCommand):
    help = _("Register a server to be watched. Connects to nothing: see test_connection.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")
        parser.add_argument("--engine", required=True, choices=DB_TYPES)
        parser.add_argument("--host", required=True)
        parser.add_argument("--port", type=int)
        parser.add_argument("--database", default="", help=_("database or service to connect to"))
        parser.add_argument("--credential", help=_("name or id of a stored credential"))
        parser.add_argument("--username", help=_("of a new credential, named as the instance"))
        parser.add_argument(
            "--password-env",
            metavar="VAR",
            help=_("environment variable that holds the password; asked for when left out"),
        )
        parser.add_argument("--tls", default="require", choices=Instance.TLS.values)
        parser.add_argument("--ca", type=Path, help=_("PEM file of the authority to trust"))
        parser.add_argument("--environment", default="")
        parser.add_argument("--description", default="")
        parser.add_argument("--tag", action="append", default=[])

    def handle(self, *args: Any, **options: Any) -> None:
        instance = Instance(
            name=options["name"],
            db_type=options["engine"],
            host=options["host"],
            tls_mode=options["tls"],
            tls_ca=_pem(options["ca"]),
            environment=options["environment"],
            description=options["description"],
        )
        _set_endpoint(instance, options["port"], options["database"])
        try:
            with transaction.atomic():
                instance.credential = _credential(options)
                instance.full_clean()
                instance.save()
                attach({instance: options["tag"]})
        except ValidationError as exc:
            raise CommandError(_one_line(exc)) from exc
        if options["as_json"]:
            self.show_json({"id": instance.pk, "name": instance.name})
        else:
            self.stdout.write(
                _("%(name)s is registered. Next: manage.py test_connection %(name)s")
                % {"name": instance.name}
            )


def _set_endpoint(instance: Instance, port: int | None, database: str) -> None:
    try:
        chosen = engine(instance.db_type)
    except LookupError as exc:
        raise CommandError(str(exc)) from exc
    instance.port = chosen.default_port if port is None else port
    instance.database_name = database or chosen.default_database


def _credential(options: dict[str, Any]) -> Credential:
    """The stored one that was named, or a new one."""
    if options["credential"]:
        return find(Credential.objects.filter(is_active=True), options["credential"])
    if not options["username"]:
        raise CommandError(_("Give --username for a new credential, or --credential for one."))
    credential = Credential(
        name=options["name"], db_type=options["engine"], username=options["username"]
    )
    credential.password = _password(options["password_env"])
    credential.full_clean()
    credential.save()
    return credential


def _password(variable: str | None) -> str:
    """Never from the command line, where `ps` shows it to everybody on the machine."""
    if variable is None:
        if not sys.stdin.isatty():
            raise CommandError(_("Nobody can be asked for the password here: give --password-env."))
        return getpass.getpass(_("Password: "))
    if not os.environ.get(variable):
        raise CommandError(
            _("The environment variable %(name)s is not set or empty.") % {"name": variable}
        )
    return os.environ[variable]


def _pem(path: Path | None) -> str:
    try:
        return path.read_text() if path else ""
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(_("Cannot read %(path)s: %(why)s") % {"path": path, "why": exc}) from exc


def _one_line(exc: ValidationError) -> str:
    if not hasattr(exc, "error_dict"):
        return " ".join(exc.messages)
    return " ".join(
        f"{field}: {' '.join(messages)}" if field != "__all__" else " ".join(messages)
        for field, messages in exc.message_dict.items()
    )
