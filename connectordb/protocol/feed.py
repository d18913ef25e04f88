"""
Websocket commands and messages, between JSON text and frozen values.

A command always carries all four keys: the original server decodes each message over the one before, so a key that is
left out keeps its old value there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..exceptions import RemoteProtocolError
from . import json_text
from .points import Datapoint, read_point

CommandName = Literal["insert", "subscribe", "unsubscribe", "unsubscribe_all"]


@dataclass(frozen=True, slots=True)
class Command:
    """
    What a client asks of the server.

    Attributes:
        cmd: What to do.
        arg: The path of a stream or downlink.
        transform: PipeScript, or ``""``.
        d: Points, for ``insert``.
    """

    cmd: CommandName
    arg: str = ""
    transform: str = ""
    d: tuple[Datapoint, ...] = ()

    def encode(self) -> bytes:
        """Return the command as JSON text, all keys in it."""
        return json_text.dumps({"cmd": self.cmd, "arg": self.arg, "transform": self.transform, "d": self.d})


@dataclass(frozen=True, slots=True)
class Message:
    """
    What the server tells a subscriber of one insert.

    Attributes:
        stream: The path that was written; of a downlink with ``/downlink``.
        data: The points, as they were sent: times before restamping.
        transform: The transform of the subscription, or ``""``.
    """

    stream: str
    data: tuple[Datapoint, ...]
    transform: str = ""

    def encode(self) -> bytes:
        """Return the message as JSON text; ``transform`` only if there is one."""
        content: dict[str, Any] = {"stream": self.stream}
        if self.transform:
            content["transform"] = self.transform
        return json_text.dumps({**content, "data": self.data})

    @classmethod
    def decode(cls, text: str | bytes) -> Message:
        """
        Return the message that *text* says.

        Raises:
            RemoteProtocolError: It says none.
        """
        try:
            content = json_text.loads(text)
        except ValueError as error:
            raise RemoteProtocolError(f"a websocket message that is no JSON: {error}") from error
        match content:
            case {"stream": str(stream), "data": list() | None as data, **others}:
                transform = others.get("transform", "")
                points = tuple(read_point(point) for point in data or ())
                if isinstance(transform, str):
                    return cls(stream, points, transform)
        raise RemoteProtocolError(f"a websocket message without 'stream' and 'data': {text[:200]!r}")
