"""The driver's and the server's errors in our words, with the remedy."""

from __future__ import annotations

import re

from whalefall.engines.base import Target
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    EngineError,
    LoginRefused,
    PermissionDenied,
    StatementTimeout,
    UnsupportedVersion,
)
from whalefall.engines.oracle.names import quoted

CODE = re.compile(r"\b(ORA|DPY|DPI)-0*(\d+)")
DIGITS = {"ORA": 5, "DPY": 4, "DPI": 4}
REFUSALS = {
    "ORA-01017": ("wrong user name or password", "Correct the credential."),
    "ORA-01005": ("no password was given", "Correct the credential."),
    "ORA-28000": ("the account is locked", "ALTER USER {user} ACCOUNT UNLOCK;"),
    "ORA-28001": ("the password has expired", "ALTER USER {user} IDENTIFIED BY a new password;"),
    "ORA-28007": ("the password has expired and cannot be reused", "Set a new password."),
    "ORA-01045": ("the login lacks CREATE SESSION", "GRANT CREATE SESSION TO {user};"),
    "ORA-28040": (
        "the server allows no authentication protocol that the driver speaks",
        "Check SQLNET.ALLOWED_LOGON_VERSION_SERVER in its sqlnet.ora.",
    ),
    "DPY-3015": (
        "the password is stored as a 10G verifier only, which the thin driver does not use",
        "Set the password again, so that the server stores newer verifiers.",
    ),
    "ORA-02391": ("the profile's SESSIONS_PER_USER is reached", "Raise the limit of the profile."),
    "ORA-01035": ("the database is open in restricted mode", "Try again later."),
}
"""Code -> our words, the remedy. The server knows the login and says no."""

UNREACHABLE = {
    "ORA-12514": ("the listener knows no service {database}", "Check the service name."),
    "DPY-6001": ("the listener knows no service {database}", "Check the service name."),
    "ORA-12505": ("the listener knows no SID {database}", "Check the SID."),
    "DPY-6003": ("the listener knows no SID {database}", "Check the SID."),
    "ORA-12516": ("the server has no free connection", "Try again later, or raise PROCESSES."),
    "ORA-12519": ("the server has no free connection", "Try again later, or raise PROCESSES."),
    "ORA-12520": ("the server has no free connection", "Try again later, or raise PROCESSES."),
    "ORA-00018": ("the server has no free session", "Try again later, or raise SESSIONS."),
    "ORA-00020": ("the server has no free process", "Try again later, or raise PROCESSES."),
    "ORA-12528": ("the instance takes no connections now", "Try again later."),
    "ORA-12526": ("the instance is in restricted mode", "Try again later."),
    "ORA-01033": ("the instance is starting up or shutting down", "Try again later."),
    "ORA-01034": ("the instance is not running", "Start it."),
    "ORA-01109": ("the database is not open", "ALTER PLUGGABLE DATABASE ... OPEN;"),
    "DPY-3001": (
        "the server insists on native network encryption, which the thin driver does not speak",
        "Set ORACLE_CLIENT_DIR to an Instant Client, or use TLS.",
    ),
    "ORA-12660": (
        "the server insists on native network encryption, which the thin driver does not speak",
        "Set ORACLE_CLIENT_DIR to an Instant Client, or use TLS.",
    ),
    "DPY-6006": (
        "the server's certificate is for another host name",
        "Use the name it was issued for, or TLS mode verify-ca.",
    ),
}
TOO_OLD = ("DPY-3010", "ORA-03134")
DENIED = ("ORA-00942", "ORA-01031", "ORA-01720", "ORA-41900")
TIMED_OUT = ("DPY-4024", "ORA-01013", "ORA-03156", "DPI-1067")
LOST = (
    "DPY-4011", "DPY-1001", "DPI-1010", "DPI-1080", "ORA-03113", "ORA-03114", "ORA-03135",
    "ORA-00028", "ORA-01012", "ORA-01089", "ORA-01092", "ORA-02396", "ORA-12537", "ORA-12570",
    "ORA-12571", "ORA-12547", "ORA-03136", "DPY-4005",
)  # fmt: skip
BY_TEXT = (
    ("mismatch", "the server's certificate is for another host name",
     "Use the name it was issued for, or TLS mode verify-ca."),
    ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not signed by a CA that is trusted",
     "Give the instance the CA that signed it."),
    ("WRONG_VERSION_NUMBER", "the server offers no TLS on this port",
     "Give the port of its TCPS listener, or set the instance's TLS mode to off."),
    ("RECORD_LAYER_FAILURE", "the server offers no TLS on this port",
     "Give the port of its TCPS listener, or set the instance's TLS mode to off."),
    ("[SSL", "no TLS connection could be made", "Check the TLS versions of both sides."),
    ("Connection refused", "nothing listens on that port", "Check the port and that it runs."),
    ("Connect call failed", "nothing listens on that port", "Check the port and that it runs."),
    ("Name or service not known", "unknown host", "Check the host name."),
    ("No address associated", "unknown host", "Check the host name."),
    ("Temporary failure in name resolution", "unknown host", "Check the host name and the DNS."),
    ("nodename nor servname", "unknown host", "Check the host name."),
)  # fmt: skip


def where(target: Target) -> str:
    return f"{target.username} at {target.host}:{target.port}/{target.database}"


def silent(target: Target) -> ConnectError:
    """Nothing came within the time for connecting."""
    return ConnectError(
        f"{where(target)}: no answer within {target.connect_timeout} s.",
        "Check the address, port and firewall, and that an Oracle listener answers there.",
    )


def refused(target: Target, exc: Exception) -> EngineError:
    """A failed connection."""
    text, codes = said(exc)
    for kind, table in ((LoginRefused, REFUSALS), (ConnectError, UNREACHABLE)):
        for code in codes:
            if code in table:
                words, remedy = table[code]
                names = {"user": quoted(target.username.upper()), "database": target.database}
                message = f"{where(target)}: {words.format(**names)} ({code})."
                return kind(message, remedy.format(**names))
    if any(code in TOO_OLD for code in codes):
        return UnsupportedVersion(
            f"{where(target)}: the server is older than 12.1, which the thin driver cannot read.",
            "Set ORACLE_CLIENT_DIR to an Instant Client that speaks with it.",
        )
    for part, words, remedy in BY_TEXT:
        if part in text:
            return ConnectError(f"{where(target)}: {words}.", remedy)
    if "timed out" in text or ("DPY-6005" in codes and "timeout" in text.lower()):
        return silent(target)
    if "ConnectionResetError" in text and target.tls_mode != "off":
        words, remedy = BY_TEXT[2][1:]
        return ConnectError(f"{where(target)}: {words}.", remedy)
    if any(code in LOST for code in codes) or "ConnectionResetError" in text:
        return ConnectError(
            f"{where(target)}: the server hung up before the login.",
            "Check that an Oracle listener without TLS listens on this port, and its log.",
        )
    return ConnectError(f"{where(target)}: {_first_line(text)}.")


def wrapped(target: Target, exc: Exception) -> EngineError:
    """An error while reading. The server's own text stays in the message."""
    text, codes = said(exc)
    line = _first_line(text)
    if any(code in DENIED for code in codes):
        return PermissionDenied(line)
    if any(code in LOST for code in codes) or isinstance(exc, OSError):
        return ConnectionLost(f"{where(target)} went away in the middle of a read: {line}.")
    if any(code in TIMED_OUT for code in codes):
        seconds = target.statement_timeout
        return StatementTimeout(f"A statement took longer than {seconds} s: {line}.")
    return EngineError(f"{where(target)} could not be read: {line}.")


def said(exc: Exception) -> tuple[str, tuple[str, ...]]:
    """The text of an error with those that caused it, and the codes in it."""
    texts, seen = [], exc
    while seen is not None:
        texts.append(str(seen) or type(seen).__name__)
        seen = seen.__cause__  # type: ignore[assignment]
    text = "\n".join(texts)
    return text, tuple(f"{who}-{code:0>{DIGITS[who]}}" for who, code in CODE.findall(text))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else "no reason was given"
