"""Instances from CSV: every row is checked before any is written, errors name line and column."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from whalefall.engines import DB_TYPES, engine
from whalefall.instances.models import Credential, Instance

REQUIRED = ("name", "db_type", "host")
COLUMNS = (
    *REQUIRED,
    "port",
    "database_name",
    "credential",
    "tls_mode",
    "environment",
    "description",
    "is_active",
    "tags",
)
"""`credential` is a name, `tags` are separated by `;`; an empty cell takes the default."""

NO, YES = frozenset(("0", "false", "no", "off")), frozenset(("", "1", "true", "yes", "on"))
Endpoint = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class RowError:
    """`line` counts from 1, the header included; `column` is empty when the row is meant."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = _("line %(line)d") % {"line": self.line}
        return (
            f"{where}, {self.column}: {self.message}" if self.column else f"{where}: {self.message}"
        )


@dataclass(slots=True)
class Row:
    """One line of the file, and what becomes of it."""

    line: int
    instance: Instance
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Import:
    """What was read: `rows` that can be created, and every error of the others."""

    rows: list[Row] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def create(self) -> list[Instance]:
        """Create them all, in one transaction. Raises ValueError when there are errors."""
        if self.errors:
            raise ValueError(_("Nothing is imported while rows have errors."))
        with transaction.atomic():
            return Instance.objects.bulk_create([row.instance for row in self.rows])


def read_csv(file: TextIO) -> Import:
    """Check a whole file, with a number of queries that does not depend on its length."""
    reader = csv.DictReader(file)
    found = Import(errors=_header_errors(reader.fieldnames or ()))
    if found.errors:
        return found
    return read_rows(_lines(reader))


def _lines(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for row in reader:
        yield reader.line_num, row


def _header_errors(header: Iterable[str]) -> list[RowError]:
    names = {name.lstrip("\ufeff") for name in header}
    unknown = _("unknown column, must be one of: %(columns)s") % {"columns": ", ".join(COLUMNS)}
    return [
        RowError(1, name, _("this column is missing")) for name in REQUIRED if name not in names
    ] + [RowError(1, name, unknown) for name in sorted(names - set(COLUMNS))]


def read_rows(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Import:
    """Check rows that come with their line numbers, from wherever they are."""
    checker = _Checker()
    for line, cells in rows:
        checker.add(line, cells)
    return checker.found


class _Checker:
    """What is taken already: in the store, and by earlier lines."""

    def __init__(self) -> None:
        self.found = Import()
        self.credentials = {each.name: each for each in Credential.objects.defer("password")}
        self.names = dict.fromkeys(Instance.objects.values_list("name", flat=True), 0)
        self.endpoints: dict[Endpoint, int] = dict.fromkeys(
            Instance.objects.present().values_list("db_type", "host", "port", "database_name"), 0
        )

    def add(self, line: int, cells: Mapping[str, Any]) -> None:
        if None in cells or None in cells.values():
            self._wrong(line, "", _("the row does not have as many cells as the header"))
            return
        values = {str(name).lstrip("\ufeff"): str(cell).strip() for name, cell in cells.items()}
        before = len(self.found.errors)
        instance = self._instance(line, values)
        self._check_fields(line, instance)
        self._check_taken(line, instance)
        if len(self.found.errors) == before:
            tags = tuple(tag.strip() for tag in values.get("tags", "").split(";") if tag.strip())
            self.found.rows.append(Row(line, instance, tags))

    def _wrong(self, line: int, column: str, message: str) -> None:
        self.found.errors.append(RowError(line, column, message))

    def _instance(self, line: int, values: Mapping[str, str]) -> Instance:
        instance = Instance(
            **{
                name: values[name]
                for name in ("name", "db_type", "host", "environment", "description")
                if name in values
            }
        )
        instance.tls_mode = values.get("tls_mode") or Instance.TLS.REQUIRE
        instance.port = self._port(line, values)
        instance.database_name = values.get("database_name") or _default_database(instance.db_type)
        instance.credential = self._credential(line, values.get("credential", ""), instance)
        active = values.get("is_active", "").lower()
        if active not in YES | NO:
            self._wrong(line, "is_active", _("must be true or false: %(cell)s") % {"cell": active})
        instance.is_active = active in YES
        return instance

    def _port(self, line: int, values: Mapping[str, str]) -> int:
        text, db_type = values.get("port", ""), values.get("db_type", "")
        if text.isdecimal() and len(text) < 10:
            return int(text)
        if text:
            self._wrong(line, "port", _("not a number: %(cell)s") % {"cell": text})
        return _default_port(db_type)

    def _credential(self, line: int, name: str, instance: Instance) -> Credential | None:
        if not name:
            return None
        credential = self.credentials.get(name)
        if credential is None:
            self._wrong(line, "credential", _("there is no credential %(name)s") % {"name": name})
        elif credential.db_type not in ("", instance.db_type):
            message = _("this credential is for %(engine)s") % {"engine": credential.db_type}
            self._wrong(line, "credential", message)
        return credential

    def _check_fields(self, line: int, instance: Instance) -> None:
        try:
            instance.clean_fields(exclude=("credential",))
        except ValidationError as exc:
            for column, messages in exc.message_dict.items():
                self._wrong(line, column, " ".join(messages))

    def _check_taken(self, line: int, instance: Instance) -> None:
        endpoint = (instance.db_type, instance.host, instance.port, instance.database_name)
        taken = {"name": self.names.get(instance.name), "host": self.endpoints.get(endpoint)}
        for column, there in taken.items():
            if there is not None:
                self._wrong(line, column, _taken(column, there))
        self.names.setdefault(instance.name, line)
        self.endpoints.setdefault(endpoint, line)


def _taken(column: str, line: int) -> str:
    what = _("an instance of this name") if column == "name" else _("this endpoint")
    if line:
        return _("%(what)s stands in line %(line)d already") % {"what": what, "line": line}
    return _("%(what)s is registered already") % {"what": what}


def _default_port(db_type: str) -> int:
    """1 for an unknown engine, which is an error of its own."""
    try:
        return engine(db_type).default_port if db_type in DB_TYPES else 1
    except LookupError:  # known, but not part of this version
        return 1


def _default_database(db_type: str) -> str:
    try:
        return engine(db_type).default_database if db_type in DB_TYPES else ""
    except LookupError:
        return ""
