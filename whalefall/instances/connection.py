"""The connection test: does the server answer, as what, and what may the collector's login not
read.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from whalefall.engines import engine
from whalefall.engines.base import Target
from whalefall.engines.errors import EngineError
from whalefall.engines.observed import MissingPrivilege, Probe
from whalefall.instances.models import Instance
from whalefall.logs import mask


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """`message` is one line for people; `remedy` what to do about a failure, or empty.

    After a success `version`, `tls` ... are known, and `missing` names what the login may not
    read, each with the GRANT that mends it.
    """

    success: bool
    message: str
    remedy: str = ""
    error_type: str = ""
    version: str = ""
    main_version: str = ""
    vendor: str = ""
    login: str = ""
    tls: bool = False
    missing: tuple[MissingPrivilege, ...] = ()
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def test_connection(
    subject: Instance | Target,
    db_type: str = "",  # noqa: PT028 # no test, whatever its name
) -> ConnectionResult:
    """Connect, probe, disconnect. Of an instance, a success is remembered on its row.

    A `Target` (parameters that are not saved) needs its `db_type`. Never raises for what a server,
    the network or a missing credential does.
    """
    started = time.monotonic()
    try:
        target = subject.target() if isinstance(subject, Instance) else subject
        chosen = subject.engine if isinstance(subject, Instance) else engine(db_type)
        with chosen.connect(target) as server:
            probe = server.probe()
    except EngineError as exc:
        return _refused(exc, str(exc.args[0]), exc.remedy)
    except (ValueError, LookupError, ImproperlyConfigured) as exc:
        return _refused(exc, str(exc))
    if isinstance(subject, Instance):
        subject.connected(probe.version, probe.main_version)
    return _answered(probe, round(time.monotonic() - started, 3))


test_connection.__test__ = False  # type: ignore[attr-defined]


def _refused(exc: Exception, message: str, remedy: str = "") -> ConnectionResult:
    return ConnectionResult(False, mask(message), mask(remedy), type(exc).__name__)


def _answered(probe: Probe, seconds: float) -> ConnectionResult:
    message = _("%(vendor)s %(version)s answers to %(login)s, %(tls)s.") % {
        "vendor": probe.vendor,
        "version": probe.version,
        "login": probe.login,
        "tls": _("with TLS") if probe.tls else _("without TLS"),
    }
    if probe.missing:
        message += " " + _("It may not read everything: %(privileges)s.") % {
            "privileges": ", ".join(missing.privilege for missing in probe.missing)
        }
    return ConnectionResult(
        True,
        message,
        version=probe.version,
        main_version=probe.main_version,
        vendor=probe.vendor,
        login=probe.login,
        tls=probe.tls,
        missing=probe.missing,
        seconds=seconds,
    )
