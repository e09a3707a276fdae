"""What can go wrong on a watched server, in our words. Drivers' errors are wrapped once, in
`connect` or where read.
"""


class EngineError(Exception):
    """A watched server could not be read. `remedy` says what a person can do, in one sentence, or
    is empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.remedy}" if self.remedy else message


class ConnectError(EngineError):
    """No usable connection: unknown host, closed port, silent server, TLS refused, wrong
    password.
    """


class LoginRefused(ConnectError):
    """The server answered and said no to this login."""


class ConnectionLost(EngineError):
    """The server went away in the middle of a read: nothing of that read may be used."""


class StatementTimeout(EngineError):
    """One statement ran out of its time; the connection may still be good."""


class PermissionDenied(EngineError):
    """The login may not read this: its section becomes `denied`."""


class UnsupportedVersion(EngineError):
    """A server older than the engine knows how to read."""
