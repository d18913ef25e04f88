"""
Every exception that this package raises, in one tree.

::

    ConnectorDBError
    ├── ResponseError                    the server refused the request, or its answer is of no use
    │   ├── AuthenticationError          any 4xx; this class itself: the credentials were refused (401)
    │   │   ├── InvalidRequest           the request makes no sense to the server
    │   │   ├── PermissionDenied         the caller may not do this
    │   │   ├── NotFound                 it does not exist, or the caller may not see it (also a LookupError)
    │   │   └── Conflict                 the name is taken, or something newer is stored already
    │   └── ServerError                  any other answer that is of no use
    │       └── ServerTrouble            a 4xx that reports trouble of the server's own (also an AuthenticationError)
    ├── ConnectionFailed                 there is no answer (also requests' ConnectionError, so an OSError)
    │   ├── TimedOut                     there is none in time (also requests' Timeout and a TimeoutError)
    │   ├── CertificateRefused           the server's certificate cannot be trusted
    │   └── OutcomeUnknown               points were sent, and whether they are stored is unknown
    ├── ProtocolError                    one side broke the rules of the protocol
    │   ├── RemoteProtocolError          the peer sent something that makes no sense
    │   └── LocalProtocolError           refused here, before anything was sent (also a ValueError)
    │       └── InvalidRange             for instance times and indices in one range (also an AssertionError)
    ├── LiveError                        a subscription cannot keep its promises
    │   ├── PointsMissed                 points that are not stored did not arrive
    │   ├── TooSlow                      the callback was too slow, and the subscription has ended
    │   └── StreamGone                   the watched stream was deleted, hidden or replaced
    ├── DownlinkError                    a command to an actuator, or its answer, failed
    │   ├── DownlinkTimeout              the device did not answer in time (also a TimeoutError)
    │   └── DownlinkRefused              the device refused the command
    ├── PipeScriptError                  a script cannot be compiled or run (also a ValueError)
    ├── StorageError                     a file of ours cannot be opened, read or written
    │   ├── StorageFull                  there is no space left for it
    │   └── StorageDamaged               it does not contain what was written
    ├── LoggerError                      the Logger was asked for something that it cannot do
    │   ├── StreamNotAdded               the Logger does not know this stream (also a LookupError)
    │   └── LoggerFull                   its file holds as much as it may
    ├── ConfigurationError               a configuration file or the environment is not valid (also a ValueError)
    ├── DatabaseInUse                    another server uses this database folder
    ├── RememberInUse                    another subscription uses this ``remember`` file
    └── ClosedError                      used after ``close()`` (also a RuntimeError)

Some classes have a second parent, from Python or from requests: either programs written for the 0.3.5 client catch that one, or it is
the convention in Python. Importing this module imports nothing else of this package.
"""

from __future__ import annotations

from typing import Any

import requests.exceptions

__all__ = [
    "AuthenticationError",
    "CertificateRefused",
    "ClosedError",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "ConnectorDBError",
    "DatabaseInUse",
    "DownlinkError",
    "DownlinkRefused",
    "DownlinkTimeout",
    "InvalidRange",
    "InvalidRequest",
    "LiveError",
    "LocalProtocolError",
    "LoggerError",
    "LoggerFull",
    "NotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "PipeScriptError",
    "PointsMissed",
    "ProtocolError",
    "RememberInUse",
    "RemoteProtocolError",
    "ResponseError",
    "ServerError",
    "ServerTrouble",
    "StorageDamaged",
    "StorageError",
    "StorageFull",
    "StreamGone",
    "StreamNotAdded",
    "TimedOut",
    "TooSlow",
]


class ConnectorDBError(Exception):
    """
    The parent of all exceptions here.

    The attributes tell about the request that failed; without one, they have the value in parentheses.

    Attributes:
        status: The HTTP status of the answer (0, also if there was no answer).
        code: The ``code`` in the body of the answer, or else its status (0).
        ref: The reference by which to find it in the server's log (``""``).
        method: The verb of the request (``""``).
        path: Its path below ``/api/v1``, without the query (``""``).
        attempts: How often it was sent, or begun to be (0).
        retryable: Whether it makes sense to repeat the call: it changed nothing, and may succeed the next time (``False``).
        stats: What the call cost, a `connectordb.Stats` (``None``).
    """

    status: int = 0
    code: int = 0
    ref: str = ""
    method: str = ""
    path: str = ""
    attempts: int = 0
    retryable: bool = False
    stats: Any = None


class ResponseError(ConnectorDBError):
    """
    The server refused the request, or its answer is of no use.

    Attributes:
        message: What happened, in the server's words.
        about: What this client adds to that.
        retry_after: For how many seconds the server asked not to be called again, or ``None``.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: int = 0,
        ref: str = "",
        method: str = "",
        path: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.about = message, ""
        self.status = status
        self.code = code or status
        self.ref = ref
        self.method = method
        self.path = path
        self.retry_after = retry_after

    @property
    def value(self) -> str:
        """The text that 0.3.5 had here: ``"403: message (ref)"``."""
        return f"{self.code}: {self.message} ({self.ref})"

    def __str__(self) -> str:
        """Return what happened to which request, and the reference in the server's log."""
        asked = f"{self.method} {self.path}: " if self.method else ""
        ref = f" (ref {self.ref})" if self.ref else ""
        return f"{asked}{self.status} {self.message}{self.about}{ref}"


class AuthenticationError(ResponseError):
    """
    The parent of all 4xx answers; an exception of this very class means that the credentials were refused.

    The name comes from 0.3.5, where every 4xx raised it.
    """


class InvalidRequest(AuthenticationError):
    """The request makes no sense to the server, or a value in it is not allowed."""


class PermissionDenied(AuthenticationError):
    """The caller may not do this."""


class NotFound(AuthenticationError, LookupError):
    """The object does not exist, or the caller may not see it; the server does not tell which."""


class Conflict(AuthenticationError):
    """The name is taken, or the stream holds a newer point than the one to be inserted."""


class ServerError(ResponseError):
    """The server failed, or what answered is not a ConnectorDB server."""


class ServerTrouble(ServerError, AuthenticationError):
    """A 4xx (hence the second parent) although the caller did nothing wrong: the server has trouble with its database."""


# 0.3.5 raised requests' own exceptions, so programs catch those
class ConnectionFailed(ConnectorDBError, requests.exceptions.ConnectionError):
    """There is no connection to the server, or it broke before the answer had come."""


class TimedOut(ConnectionFailed, requests.exceptions.Timeout, TimeoutError):
    """
    There was no answer in time.

    Attributes:
        phase: What took too long: ``"pool"``, ``"resolve"``, ``"connect"``, ``"tls"``, ``"write"`` or ``"read"``; empty if it was
            none of these.
    """

    def __init__(self, message: str, phase: str = "") -> None:
        super().__init__(message)
        self.phase = phase


class CertificateRefused(ConnectionFailed):
    """The server's certificate comes from an unknown authority, is for another name, or is not valid at this time."""


class OutcomeUnknown(ConnectionFailed):
    """
    Points were sent, no answer came, and it cannot be found out whether they are stored. They were not sent again.

    Attributes:
        stored: How many points at the beginning of the call are known to be stored.
    """

    def __init__(self, message: str, stored: int = 0) -> None:
        super().__init__(message)
        self.stored = stored


class ProtocolError(ConnectorDBError):
    """One side broke the rules of the protocol; see the two classes below."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that makes no sense."""


class LocalProtocolError(ProtocolError, ValueError):
    """A value or a request was refused here, before anything was sent."""


# 0.3.5 had ``assert`` statements for these.
class InvalidRange(LocalProtocolError, AssertionError):
    """Times and indices in one range, ``limit`` with indices, or a value that is not valid in a range."""


class LiveError(ConnectorDBError):
    """A subscription cannot keep its promises."""


class PointsMissed(LiveError):
    """
    Points that are not stored, and so cannot be fetched, did not arrive or were too many for the callback.

    Attributes:
        number: How many so far; ``None`` if that is unknown.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class TooSlow(LiveError):
    """A callback was too slow for the points that came, and its subscription has ended because of ``overflow="raise"``."""


class StreamGone(LiveError):
    """
    The watched stream was deleted, may not be read any more, or was replaced.

    Attributes:
        reason: What ``on_gone`` is called with.
    """

    def __init__(self, message: str, reason: str = "deleted") -> None:
        super().__init__(message)
        self.reason = reason


class DownlinkError(ConnectorDBError):
    """A command to an actuator, or its acknowledgement, failed."""


class DownlinkTimeout(DownlinkError, TimeoutError):
    """
    The device did not answer in time.

    Attributes:
        written: Whether the command is in the downlink, so that the device may still obey it; ``None`` if that is unknown.
        index: The index of the command there; ``None`` if that is unknown.
    """

    def __init__(self, message: str, *, written: bool | None = None, index: int | None = None) -> None:
        super().__init__(message)
        self.written = written
        self.index = index


class DownlinkRefused(DownlinkError):
    """
    The device refused the command. A device's callback raises this to refuse one.

    Attributes:
        reason: Why, in the device's words.
    """

    def __init__(self, message: str = "", reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = message if reason is None else reason


class PipeScriptError(ConnectorDBError, ValueError):
    """
    A script cannot be compiled, or cannot be run on these points.

    Attributes:
        reason: What is wrong, in the words of a 0.3 server.
        script: The script; empty if unknown.
        position: Where in the script, in characters; `None` if unknown.
        hint: More about it: what was expected, or what may have been meant.
        index: At which point it failed, counted from 0; `None` if unknown.
        time: The time of that point; `None` if unknown.
    """

    def __init__(self, reason: str, script: str = "", position: int | None = None, *, hint: str = "") -> None:
        super().__init__(reason, script, position)
        self.reason = reason
        self.script = script
        self.position = position
        self.hint = hint
        self.index: int | None = None
        self.time: float | None = None

    def __str__(self) -> str:
        text = f"{self.reason}: {self.hint}" if self.hint else self.reason
        if self.time is not None:
            text += f" (at {'the' if self.index is None else f'[{self.index}], the'} datapoint of time {self.time!r})"
        if self.script and self.position is not None:
            from .plain_text import pointed_at

            text += f"\n{pointed_at(self.script, self.position)}"
        return text

    def in_script(self, script: str, position: int) -> None:
        """Note the script and the position in it, unless they are known already."""
        self.script = self.script or script
        self.position = position if self.position is None else self.position

    def at_point(self, time: float | None, index: int | None = None) -> None:
        """Note at which point the script failed, unless that is known already."""
        self.time = time if self.time is None else self.time
        self.index = index if self.index is None else self.index


class StorageError(ConnectorDBError):
    """A file of ours (a Logger's cache, a server's database) cannot be opened, read or written."""


class StorageFull(StorageError):
    """There is no space left on the disk. What was accepted before is safe."""


class StorageDamaged(StorageError):
    """A file does not contain what was written to it. A Logger's file is repaired when it is next opened."""


class LoggerError(ConnectorDBError):
    """The Logger was asked for something that it cannot do."""


class StreamNotAdded(LoggerError, LookupError):
    """The Logger does not know this stream: ``addStream`` comes first."""


class LoggerFull(LoggerError):
    """The Logger's file holds as much as it may. The new points were not accepted; all that it holds is safe."""


class ConfigurationError(ConnectorDBError, ValueError):
    """A configuration file, a profile or an environment variable is not valid; the message names it."""


class DatabaseInUse(ConnectorDBError):
    """Another server uses this database folder."""


class RememberInUse(ConnectorDBError):
    """Another subscription uses this ``remember`` file, in this process or in the one that the message names."""


class ClosedError(ConnectorDBError, RuntimeError):
    """The object was used after ``close()``."""
