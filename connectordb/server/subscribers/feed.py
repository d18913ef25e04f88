"""
One subscriber without its socket: reading its commands, and holding the frames for it.

`read_command` reads a message from the client. `Outbox` holds frames until the socket takes them, and says when they are too many.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from ...exceptions import LocalProtocolError, RemoteProtocolError
from ...protocol import json_text
from ...protocol.feed import ID_LIMIT, CommandId
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ..handlers import Refusal
from ..handlers.data import read_points
from ..handlers.request import legible

_COMMANDS = ("insert", "subscribe", "unsubscribe", "unsubscribe_all")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A command from a client.

    Attributes:
        cmd: What to do; ``""`` for nothing, as for an unknown command.
        path: The path of a stream or downlink; `None` if ``arg`` is no such path.
        transform: PipeScript, or ``""``.
        points: The points of an insert.
        id: The id that the answer is to carry; `None` if no answer is wanted.
        key: An insert's idempotency key.
        fault: What is wrong with the command, if it has an id by which that can be answered.
    """

    cmd: Literal["", "insert", "subscribe", "unsubscribe", "unsubscribe_all"]
    path: Path | None = None
    transform: str = ""
    points: tuple[Datapoint, ...] = ()
    id: CommandId | None = None
    key: str | None = None
    fault: str = ""


def read_command(text: str | bytes) -> Asked:
    """
    Return the command in a message. A key that is left out is empty; unlike in 0.3, it does not keep its value from the message before.

    Raises:
        RemoteProtocolError: It is no command, and the connection should be closed.
    """
    body = _first_value(text)
    if body is None:
        return Asked("")
    if not isinstance(body, dict):
        raise RemoteProtocolError("a command is a JSON object")
    keys = {key.lower(): value for key, value in body.items() if value is not None}
    id = _id(keys.get("id"))
    try:
        return _asked(keys, id)
    except RemoteProtocolError as error:
        if id is None:
            raise
        return Asked("", id=id, fault=str(error))


def _id(value: Any) -> CommandId | None:
    if value is None or type(value) in (int, float) or (isinstance(value, str) and len(value) <= ID_LIMIT):
        id: CommandId | None = value
        return id
    raise RemoteProtocolError(f"the 'id' of a command is a number, or a text of at most {ID_LIMIT} characters")


def _asked(keys: dict[str, Any], id: CommandId | None) -> Asked:
    cmd, arg, transform = (keys.get(name, "") for name in ("cmd", "arg", "transform"))
    if not all(isinstance(value, str) for value in (cmd, arg, transform)):
        raise RemoteProtocolError("'cmd', 'arg' and 'transform' of a command are texts")
    key = keys.get("key")
    if not (key is None or isinstance(key, str)):
        raise RemoteProtocolError("the 'key' of a command is a text")
    try:
        points = read_points(keys.get("d"))
    except Refusal as refusal:
        raise RemoteProtocolError(f"in 'd' of a command: {refusal.message}") from refusal
    if cmd not in _COMMANDS:
        return Asked(
            "", id=id, fault=f"{cmd[:40]!r} is no command; there are {', '.join(_COMMANDS)}" if id is not None else ""
        )
    return Asked(cmd, _stream_path(arg), transform, tuple(points), id, key)


def _first_value(text: str | bytes) -> Any:
    """Return the JSON value that *text* begins with; what follows it is ignored, as a 0.3 server does."""
    try:
        return json_text.loads(text)
    except ValueError as error:
        text = legible(text)
        try:
            # decoded only to find out where the first value ends
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


class Outbox:
    """
    Frames that wait to be sent to one subscriber.

    Args:
        messages: The most frames that may wait.
        size: The most bytes that may wait; a single frame may be larger.
    """

    def __init__(self, messages: int, size: int) -> None:
        self._most_messages = messages
        self._most_bytes = size
        self._waiting: deque[bytes] = deque()
        self._bytes = 0

    def offer(self, frame: bytes) -> bool:
        """Add a frame, if there is room for it; return whether there is."""
        if not self.fits(frame):
            return False
        self._waiting.append(frame)
        self._bytes += len(frame)
        return True

    def fits(self, frame: bytes) -> bool:
        """Tell whether there is room for a frame."""
        return not self._waiting or (self.has_room() and self._bytes + len(frame) <= self._most_bytes)

    def has_room(self) -> bool:
        """Tell whether there is room for any frame."""
        return len(self._waiting) < self._most_messages and self._bytes < self._most_bytes

    def take(self) -> bytes | None:
        """Take the frame that has waited for the longest time; `None` if there is none."""
        if not self._waiting:
            return None
        frame = self._waiting.popleft()
        self._bytes -= len(frame)
        return frame

    def __len__(self) -> int:
        """Return how many frames wait."""
        return len(self._waiting)
