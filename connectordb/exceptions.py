"""
Every exception that this package raises, in one tree.

::

    ConnectorDBError
    ├── ResponseError                    the server answered, and the answer was a refusal or of no use
    │   ├── AuthenticationError          any 4xx; itself: the credentials were refused (401)
    │   │   ├── InvalidRequest           what was asked for makes no sense to the server
    │   │   ├── PermissionDenied         understood, and not allowed
    │   │   ├── NotFound                 not there, or not visible to the caller (also a LookupError)
    │   │   └── Conflict                 the name is taken, or something newer is stored already
    │   └── ServerError                  anything else that is not an answer we can use
    │       └── ServerTrouble            a 4xx that tells of the server's own trouble (also an AuthenticationError)
    ├── ConnectionFailed                 no answer (also requests' ConnectionError, so an OSError)
    │   ├── TimedOut                     none in time (also requests' Timeout and a TimeoutError)
    │   ├── CertificateRefused           the server's certificate is not to be trusted
    │   └── OutcomeUnknown               sent, and whether it was stored cannot be decided
    ├── ProtocolError                    somebody broke the rules of the wire
    │   ├── RemoteProtocolError          the peer sent what makes no sense
    │   └── LocalProtocolError           refused here, before anything was sent (also a ValueError)
    │       └── InvalidRange             kinds of range mixed (also an AssertionError)
    ├── LiveError                        a subscription cannot be all that it promises
    │   ├── PointsMissed                 points that are not stored did not arrive
    │   ├── TooSlow                      the callback was, and the subscription has ended
    │   └── StreamGone                   what is watched is not there any more, or another one
    ├── DownlinkError                    a command to an actuator came to nothing
    │   ├── DownlinkTimeout              no answer in time (also a TimeoutError)
    │   └── DownlinkRefused              the device said no
    ├── PipeScriptError                  a transform that cannot be compiled or run (also a ValueError)
    ├── StorageError                     a file of ours cannot be opened, read or written
    │   ├── StorageFull                  there is no space left for it
    │   └── StorageDamaged               what is in it is not what was written
    ├── LoggerError                      the Logger was asked for what it cannot do
    │   ├── StreamNotAdded               the Logger does not know this stream (also a LookupError)
    │   └── LoggerFull                   its file holds as much as it may
    ├── ConfigurationError               a file or the environment says what makes no sense (also a ValueError)
    ├── DatabaseInUse                    another server has this database folder
    ├── RememberInUse                    another subscription has this ``remember`` file
    └── ClosedError                      used after ``close()`` (also a RuntimeError)

A second, builtin or foreign parent stands where programs written for the 0.3.5 client catch that one, or where Python's
own convention asks for it. Loading this module loads nothing of this package.
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
    The parent of everything that goes wrong here.

    What ended a request tells more; anything else has what stands here in parentheses.

    Attributes:
        status: The HTTP status of the answer (0: there was none).
        code: The ``code`` in its body, or the status where there was none (0).
        ref: The reference under which the server's log has it (``""``).
        method: The verb of the request (``""``).
        path: Its path below ``/api/v1``, without the query (``""``).
        attempts: How often it was sent, or tried to be (0).
        retryable: Whether the call may be made again as it is: nothing was changed by it, and it may succeed then (``False``).
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
    The server answered, and the answer was a refusal or of no use.

    Attributes:
        message: What happened, in the server's words.
        about: What more there is to say of the call.
        retry_after: The seconds for which the server asked not to be asked again, or ``None``.
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
        """Return what happened, to which request, and where the server's log has it."""
        asked = f"{self.method} {self.path}: " if self.method else ""
        ref = f" (ref {self.ref})" if self.ref else ""
        return f"{asked}{self.status} {self.message}{self.about}{ref}"


class AuthenticationError(ResponseError):
    """
    A 4xx answer; of this very class: the credentials were refused.

    The name is that of 0.3.5, where every 4xx raised it.
    """


class InvalidRequest(AuthenticationError):
    """The server could make no sense of the request, or a value in it is not allowed."""


class PermissionDenied(AuthenticationError):
    """The caller may not do this."""


class NotFound(AuthenticationError, LookupError):
    """The object is not there, or not visible to the caller: the server does not tell which."""


class Conflict(AuthenticationError):
    """The name is taken, or the stream holds something newer than what was to be inserted."""


class ServerError(ResponseError):
    """The server failed, or its answer is none that a ConnectorDB server gives."""


class ServerTrouble(ServerError, AuthenticationError):
    """A 4xx (hence the second parent) that tells of trouble behind the server, with its database: the caller did nothing wrong."""


# 0.3.5 let requests' own exceptions through: programs catch those
class ConnectionFailed(ConnectorDBError, requests.exceptions.ConnectionError):
    """No connection to the server, or it broke before the answer was there."""


class TimedOut(ConnectionFailed, requests.exceptions.Timeout, TimeoutError):
    """
    No answer in time.

    Attributes:
        phase: What took too long: ``"pool"``, ``"resolve"``, ``"connect"``, ``"tls"``, ``"write"`` or ``"read"``; empty where it was
            none of these.
    """

    def __init__(self, message: str, phase: str = "") -> None:
        super().__init__(message)
        self.phase = phase


class CertificateRefused(ConnectionFailed):
    """The server's certificate is of no authority that is known here, for another name, or not valid at this time."""


class OutcomeUnknown(ConnectionFailed):
    """
    Something was sent, no answer came, and whether it was stored cannot be decided; it was not sent again.

    Attributes:
        stored: How many points of the call are known to be stored, from its beginning.
    """

    def __init__(self, message: str, stored: int = 0) -> None:
        super().__init__(message)
        self.stored = stored


class ProtocolError(ConnectorDBError):
    """Somebody broke the rules of the wire: see the two classes below."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that makes no sense."""


class LocalProtocolError(ProtocolError, ValueError):
    """A value or a request was refused here, before anything was sent."""


# 0.3.5 had ``assert`` statements for these.
class InvalidRange(LocalProtocolError, AssertionError):
    """Times and indices in one range, ``limit`` with indices, or a range that is none."""


class LiveError(ConnectorDBError):
    """A subscription cannot be all that it promises."""


class PointsMissed(LiveError):
    """
    Points that were told and not stored did not arrive, or were too many for the callback.

    Attributes:
        number: How many so far; ``None`` if nobody knows.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class TooSlow(LiveError):
    """More points came than a callback took, and its subscription has ended, as ``overflow="raise"`` asks for."""


class StreamGone(LiveError):
    """
    The stream that is watched is not there any more, may not be read, or is another one.

    Attributes:
        reason: As ``on_gone`` is told.
    """

    def __init__(self, message: str, reason: str = "deleted") -> None:
        super().__init__(message)
        self.reason = reason


class DownlinkError(ConnectorDBError):
    """A command to an actuator, or its acknowledgement, came to nothing."""


class DownlinkTimeout(DownlinkError, TimeoutError):
    """
    The device did not answer in time.

    Attributes:
        written: Whether the command stands in the downlink, so that the device may obey it yet; ``None`` if nobody knows.
        index: Where it stands there; ``None`` if that is not known.
    """

    def __init__(self, message: str, *, written: bool | None = None, index: int | None = None) -> None:
        super().__init__(message)
        self.written = written
        self.index = index


class DownlinkRefused(DownlinkError):
    """
    The device refused the command; its callback raises this to do so.

    Attributes:
        reason: Why, in the device's words.
    """

    def __init__(self, message: str = "", reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = message if reason is None else reason


class PipeScriptError(ConnectorDBError, ValueError):
    """
    A transform that cannot be compiled, or that cannot be run on this data.

    Attributes:
        reason: What is wrong, in the words of a 0.3 server.
        script: The script; empty where it is not known.
        position: Where in the script, in characters; `None` where it is not known.
        hint: More about it: what was expected, or what may have been meant.
        index: Which point could not be worked on, counted from 0; `None` where it is not known.
        time: That point's time; `None` where it is not known.
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
        """Note the script and where in it, unless that is known already."""
        self.script = self.script or script
        self.position = position if self.position is None else self.position

    def at_point(self, time: float | None, index: int | None = None) -> None:
        """Note which point could not be worked on, unless that is known already."""
        self.time = time if self.time is None else self.time
        self.index = index if self.index is None else self.index


class StorageError(ConnectorDBError):
    """A file of ours (a Logger's cache, a server's database) cannot be opened, read or written."""


class StorageFull(StorageError):
    """There is no space left on the disk; what was accepted before is safe."""


class StorageDamaged(StorageError):
    """What is in a file is not what was written to it. A Logger's file is mended when it is opened the next time."""


class LoggerError(ConnectorDBError):
    """The Logger was asked for something that it cannot do."""


class StreamNotAdded(LoggerError, LookupError):
    """The Logger does not know this stream: ``addStream`` comes first."""


class LoggerFull(LoggerError):
    """The Logger's file holds as much as it may; what it was asked to take was not taken, and all that it holds is safe."""


class ConfigurationError(ConnectorDBError, ValueError):
    """A configuration file, a profile or a variable of the environment says what makes no sense; the message names it."""


class DatabaseInUse(ConnectorDBError):
    """Another server runs on this database folder."""


class RememberInUse(ConnectorDBError):
    """Another subscription has this ``remember`` file, in this process or in the one that the message names."""


class ClosedError(ConnectorDBError, RuntimeError):
    """The object was used after ``close()``."""
