"""
One subscriber without its socket: commands in, messages out.

`read_command` says what a message from the client asks for. `Outbox` holds what is to be sent until the socket takes it, and
says when that is too much: whoever does not read is dropped, not buffered without bound.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..exceptions import LocalProtocolError, RemoteProtocolError
from ..protocol import json_text
from ..protocol.feed import Message
from ..protocol.paths import Path
from ..protocol.points import Datapoint
from .handlers import Published, Refusal
from .handlers.data import read_points

#: Messages, and bytes of them, that wait for one subscriber at most. One message alone may be larger.
WAITING_MESSAGES = 1000
WAITING_BYTES = 16 * 1024 * 1024

_COMMANDS = ("insert", "subscribe", "unsubscribe", "unsubscribe_all")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a client asks for.

    Attributes:
        cmd: What to do; ``""`` for nothing, which is what an unknown command asks for.
        path: Of a stream or downlink; `None` if ``arg`` is none.
        transform: PipeScript, or ``""``.
        points: Of an insert.
    """

    cmd: Literal["", "insert", "subscribe", "unsubscribe", "unsubscribe_all"]
    path: Path | None = None
    transform: str = ""
    points: tuple[Datapoint, ...] = ()


def read_command(text: str | bytes) -> Asked:
    """
    Return what a message asks for; a key that is left out is empty, whatever the message before had there.

    Raises:
        RemoteProtocolError: It is no command at all: the connection is to be closed.
    """
    body = _first_value(text.decode(errors="replace") if isinstance(text, bytes) else text)
    if body is None:
        return Asked("")
    if not isinstance(body, dict):
        raise RemoteProtocolError("a command is a JSON object")
    keys = {key.lower(): value for key, value in body.items() if value is not None}
    cmd, arg, transform = (keys.get(name, "") for name in ("cmd", "arg", "transform"))
    if not all(isinstance(value, str) for value in (cmd, arg, transform)):
        raise RemoteProtocolError("'cmd', 'arg' and 'transform' of a command are texts")
    try:
        points = read_points(keys.get("d"))
    except Refusal as refusal:
        raise RemoteProtocolError(f"in 'd' of a command: {refusal.message}") from refusal
    if cmd not in _COMMANDS:
        return Asked("")
    return Asked(cmd, _stream_path(arg), transform, tuple(points))


def _first_value(text: str) -> Any:
    """Return the JSON value that *text* begins with; what follows it is ignored, as a 0.3 server does."""
    try:
        return json_text.loads(text)
    except ValueError as error:
        try:
            # only to find out where the first value ends
            _, end = _scanner.raw_decode(text.lstrip(" \t\r\n"))
        except (ValueError, RecursionError):
            raise RemoteProtocolError(f"a command that is no JSON: {error}") from error
    try:
        return json_text.loads(text.lstrip(" \t\r\n")[:end])
    except ValueError as error:
        raise RemoteProtocolError(f"a command that is no JSON: {error}") from error


_scanner = json.JSONDecoder()


def _stream_path(arg: str) -> Path | None:
    """Return the path of a stream or downlink that *arg* says, if it does."""
    try:
        path = Path.parse(arg)
    except LocalProtocolError:
        return None
    return path if path.depth == 3 else None


def encode(published: Published) -> str:
    """Return the message about an insert, the same for all who subscribed without a transform."""
    return Message(published.path, published.points).encode().decode() + "\n"


class Outgoing(Protocol):
    """Where messages for one subscriber are put."""

    def offer(self, message: str) -> bool:
        """Add a message; tell whether there was room for it."""


class Outbox(Outgoing):
    """
    What waits to be sent to one subscriber.

    Attributes:
        overflowed: Whether more came than was taken; what waits then is incomplete, and the subscriber is to be dropped.
    """

    def __init__(self, messages: int = WAITING_MESSAGES, size: int = WAITING_BYTES) -> None:
        self._most_messages = messages
        self._most_bytes = size
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self.overflowed = False

    def offer(self, message: str) -> bool:
        """Add a message; tell whether there was room for it."""
        full = len(self._waiting) >= self._most_messages or self._bytes + len(message) > self._most_bytes
        if self.overflowed or (self._waiting and full):
            self.overflowed = True
            return False
        self._waiting.append(message)
        self._bytes += len(message)
        return True

    def take(self) -> str | None:
        """Take the message that has waited longest."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._waiting)
