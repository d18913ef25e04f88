"""
Websocket commands and messages: from JSON text to frozen values, and back.

A command always carries the four keys of the 0.3 protocol: the original server decodes each message on top of the one before,
so a key that is left out would keep its old value. ``id`` and ``key`` are for servers that announce that they understand them
(``docs/topics/beyond_0_3.rst``). `read_told` also reads what such servers say beyond the messages of 0.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeGuard

from ..exceptions import RemoteProtocolError
from . import json_text
from .points import Datapoint, read_point

CommandName = Literal["insert", "subscribe", "unsubscribe", "unsubscribe_all"]

#: What a client may choose as the id of a command; the answer carries the same.
CommandId = str | int | float

#: The most characters of an id that is text.
ID_LIMIT = 255

#: Why a subscription has ended. ``deleted``: the stream is gone; ``cleared``: all its points are; ``denied``: it may not be read any
#: more; ``caller``: the device that opened the connection is gone; ``exceeded``: the transform took too long for an insert, or made
#: too much of it.
EndReason = Literal["deleted", "cleared", "denied", "caller", "exceeded"]

END_REASONS: tuple[EndReason, ...] = ("deleted", "cleared", "denied", "caller", "exceeded")


@dataclass(frozen=True, slots=True)
class Command:
    """
    What a client asks the server to do.

    Attributes:
        cmd: What to do.
        arg: The path of a stream or downlink.
        transform: PipeScript, or ``""``.
        d: Points, for ``insert``.
        id: The id that the answer is to carry; without it there is no answer.
        key: The idempotency key of an ``insert``, or ``""``.
    """

    cmd: CommandName
    arg: str = ""
    transform: str = ""
    d: tuple[Datapoint, ...] = ()
    id: CommandId | None = None
    key: str = ""

    def encode(self) -> bytes:
        """Return the command as JSON text, with all four keys of 0.3."""
        content: dict[str, Any] = {"cmd": self.cmd, "arg": self.arg, "transform": self.transform, "d": self.d}
        if self.id is not None:
            content["id"] = self.id
        if self.key:
            content["key"] = self.key
        return json_text.dumps(content)


@dataclass(frozen=True, slots=True)
class Message:
    """
    What the server tells a subscriber about one insert.

    Attributes:
        stream: The path that was written to; a downlink's ends with ``/downlink``.
        data: The points: with an index as they were stored, else as they were sent, with times from before restamping.
        transform: The transform of the subscription, or ``""``.
        index: The index of the first point, if the subscription was made with an id; `None` if the points were not stored.
    """

    stream: str
    data: tuple[Datapoint, ...]
    transform: str = ""
    index: int | None = None

    def encode(self) -> bytes:
        """Return the message as JSON text, with ``transform`` and ``index`` only if it has them."""
        content: dict[str, Any] = {"stream": self.stream}
        if self.transform:
            content["transform"] = self.transform
        if self.index is not None:
            content["index"] = self.index
        return json_text.dumps({**content, "data": self.data})

    @classmethod
    def decode(cls, text: str | bytes) -> Message:
        """
        Return the message that *text* says.

        Raises:
            RemoteProtocolError: It is no such message.
        """
        message = _message(_loads(text))
        if message is None:
            raise RemoteProtocolError(f"a websocket message without 'stream' and 'data': {text[:200]!r}")
        return message


@dataclass(frozen=True, slots=True)
class Done:
    """
    The answer to a command that was carried out.

    Attributes:
        id: The command's.
        stream: What was subscribed to or unsubscribed from, or where points landed; ``""`` for ``unsubscribe_all``.
        index: The index of the first point that will be told, or that was inserted; `None` if nothing was stored.
        series: Tells a stream from an earlier one at the same path in the same database; only for ``subscribe``, else ``""``.
        ephemeral: Whether points of the stream are, at present, told but not stored.
    """

    id: CommandId
    stream: str = ""
    index: int | None = None
    series: str = ""
    ephemeral: bool = False

    def encode(self) -> bytes:
        """Return the answer as JSON text."""
        ok: dict[str, Any] = {"stream": self.stream} if self.stream else {}
        if self.index is not None:
            ok["index"] = self.index
        if self.series:
            ok |= {"series": self.series, "ephemeral": self.ephemeral}
        return json_text.dumps({"id": self.id, "ok": ok})


@dataclass(frozen=True, slots=True)
class Failed:
    """
    The answer to a command that was refused. It says the same as the error body of such a refusal over REST.

    Attributes:
        id: The command's.
        code: The HTTP status.
        msg: Why it was refused.
        ref: The id under which the server's log has the refusal.
    """

    id: CommandId
    code: int
    msg: str
    ref: str

    def encode(self) -> bytes:
        """Return the answer as JSON text."""
        return json_text.dumps({"id": self.id, "error": {"code": self.code, "msg": self.msg, "ref": self.ref}})


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Points that were not told because the client did not read fast enough. They can be read over REST.

    Attributes:
        stream: The path that was subscribed to.
        first: The index of the first of them.
        after: The index after the last of them: of the point that is told next.
    """

    stream: str
    first: int
    after: int

    def encode(self) -> bytes:
        """Return the message as JSON text."""
        return json_text.dumps({"stream": self.stream, "gap": [self.first, self.after]})


def _with(transform: str) -> dict[str, str]:
    return {"transform": transform} if transform else {}


@dataclass(frozen=True, slots=True)
class Lost:
    """
    Points that were not told, and that no gap can name.

    Without a transform, these are points that were not stored, as the stream is ephemeral. With one, they are points whose results
    could not be computed or sent; the points themselves may be stored.

    Attributes:
        stream: The path that was subscribed to.
        number: How many.
        transform: The transform of the subscription, or ``""``.
    """

    stream: str
    number: int
    transform: str = ""

    def encode(self) -> bytes:
        """Return the message as JSON text."""
        return json_text.dumps({"stream": self.stream, **_with(self.transform), "lost": self.number})


@dataclass(frozen=True, slots=True)
class Ended:
    """
    The end of a subscription that the server has ended.

    Attributes:
        stream: The path that was subscribed to.
        reason: Why.
        transform: The transform of the subscription, or ``""``.
    """

    stream: str
    reason: EndReason
    transform: str = ""

    def encode(self) -> bytes:
        """Return the message as JSON text."""
        return json_text.dumps({"stream": self.stream, **_with(self.transform), "ended": self.reason})


#: What a server can say.
Told = Message | Done | Failed | Gap | Lost | Ended


def read_told(text: str | bytes) -> Told:
    """
    Return what a server says.

    Raises:
        RemoteProtocolError: It is none of the messages that are known here.
    """
    content = _loads(text)
    told = _message(content) or _answer(content) or _notice(content)
    if told is None:
        raise RemoteProtocolError(f"a websocket message of no known kind: {text[:200]!r}")
    return told


class Signal(NamedTuple):
    """A message reduced to its stream and the number of its points."""

    stream: str
    number: int


#: How nearly every message of a 0.3 server begins.
_TELLS = re.compile(rb'\{"stream":"([\w./-]+)","data":\[\{"t":')


def read_signal(text: bytes) -> Signal | None:
    """
    Return what a message is about, without its points, in a fifth of the time that `read_told` takes.

    ``None`` if the message has to be decoded after all. Whether the points make sense is not looked at.
    """
    begins = _TELLS.match(text)
    if begins is None or not text.endswith((b"}]}", b"}]}\n")):  # an original server ends messages with a newline
        return None
    # count points by their borders, and check by counting braces: an object or a brace inside a value makes the two differ
    number = text.count(b'},{"t":') + 1
    return Signal(begins[1].decode(), number) if number == text.count(b"{") - 1 else None


def _loads(text: str | bytes) -> Any:
    try:
        return json_text.loads(text)
    except ValueError as error:
        raise RemoteProtocolError(f"a websocket message that is no JSON: {error}") from error


def _message(content: Any) -> Message | None:
    # by far the most frequent kind, many times a second, so without match, which takes twice as long
    if type(content) is not dict:
        return None
    stream, data = content.get("stream"), content.get("data")
    transform, index = content.get("transform", ""), content.get("index")
    if type(stream) is not str or type(transform) is not str or not (index is None or _is_index(index)):
        return None
    if type(data) is list:
        return Message(stream, _points(data), transform, index)
    return Message(stream, (), transform, index) if data is None and "data" in content else None


def _points(data: list[Any]) -> tuple[Datapoint, ...]:
    try:
        for point in data:
            point["d"]  # among JSON values, only an object can be indexed by text
    except (KeyError, TypeError):
        return tuple(map(read_point, data))
    return tuple(data)


def _answer(content: Any) -> Done | Failed | None:
    match content:
        case {"id": str() | int() | float() as id, "ok": {**ok}}:
            stream, index, series = ok.get("stream", ""), ok.get("index"), ok.get("series", "")
            if isinstance(stream, str) and isinstance(series, str) and (index is None or _is_index(index)):
                return Done(id, stream, index, series, ok.get("ephemeral") is True)
        case {"id": str() | int() | float() as id, "error": {"code": int(code), "msg": str(msg), "ref": str(ref)}}:
            return Failed(id, code, msg, ref)
    return None


def _notice(content: Any) -> Gap | Lost | Ended | None:
    match content:
        case {"stream": str(stream), "gap": [first, after]} if _is_index(first) and _is_index(after):
            return Gap(stream, first, after)
        case {"stream": str(stream), "lost": number, **others} if _is_index(number):
            return Lost(stream, number, str(others.get("transform", "")))
        case {"stream": str(stream), "ended": reason, **others} if reason in END_REASONS:
            return Ended(stream, reason, str(others.get("transform", "")))
    return None


def _is_index(value: Any) -> TypeGuard[int]:
    return type(value) is int and value >= 0
