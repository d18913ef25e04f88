"""
Websocket frames (RFC 6455), the client's side, from bytes and to bytes. Pure.

The library that makes the connection could read frames, too, but only in one blocking call per frame, and of whatever size the peer
says. Here, a size is refused before memory is taken for it; a frame may arrive in pieces while the thread looks after other things;
and one read from the socket serves many small frames. That a text is valid UTF-8 is left to the JSON decoder, which checks it anyway.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ...exceptions import RemoteProtocolError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

_WHOLE_TEXT = 0x80 | TEXT

#: The most bytes in the payload of a control frame (RFC 6455, 5.5).
CONTROL_LIMIT = 125

#: Codes of a Close frame: the connection is done; the server stops; the peer broke the rules; a message was too large
#: (RFC 6455, 7.4.1).
NORMAL, GOING_AWAY, BROKEN_RULES, TOO_LARGE = 1000, 1001, 1002, 1009


class MessageTooLarge(RemoteProtocolError):
    """A message is larger than we accept."""


class Event(NamedTuple):
    """
    A whole message, or a control frame.

    Attributes:
        opcode: `TEXT`, `BINARY`, `CLOSE`, `PING` or `PONG`.
        payload: Its bytes.
    """

    opcode: int
    payload: bytes


class Reader:
    """Makes events out of bytes, however they were cut."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        #: Of a message that comes in several frames: the payloads so far, their size, and its opcode.
        self._parts: list[bytes] = []
        self._size = 0
        self._opcode: int | None = None

    def feed(self, data: bytes | memoryview) -> list[Event]:
        """
        Return the events that are complete with *data*.

        Raises:
            RemoteProtocolError: The bytes are not frames that a server may send; nothing can be read after that.
        """
        # usually whole frames come, which need not be copied into the buffer first
        buffer: bytes | bytearray | memoryview = data
        if self._buffer:
            self._buffer += data
            buffer = self._buffer
        events: list[Event] = []
        at = 0
        while True:
            # nearly all frames are of this kind: a whole text of less than 64 KiB, with no unfinished message before it
            while self._opcode is None and len(buffer) - at >= 4 and buffer[at] == _WHOLE_TEXT and buffer[at + 1] < 127:
                length, start = buffer[at + 1], at + 2
                if length == 126:
                    length, start = buffer[at + 2] << 8 | buffer[at + 3], at + 4
                end = start + length
                if end > len(buffer) or length > self._limit:
                    break
                events.append(Event(TEXT, bytes(buffer[start:end])))
                at = end
            frame = self._frame(buffer, at)
            if frame is None:
                break
            final, opcode, start, at = frame
            event = self._event(final, opcode, bytes(buffer[start:at]))
            if event is not None:
                events.append(event)
        if buffer is self._buffer:
            del self._buffer[:at]
        else:
            self._buffer += buffer[at:]
        return events

    def _frame(self, buffer: bytes | bytearray | memoryview, at: int) -> tuple[bool, int, int, int] | None:
        """Return the frame that begins at *at*: whether it is final, its opcode, where its payload begins and ends; or ``None`` yet."""
        if len(buffer) < at + 2:
            return None
        first, second = buffer[at], buffer[at + 1]
        opcode, length, start = first & 0x0F, second & 0x7F, at + 2
        if first & 0x70:
            raise RemoteProtocolError("a websocket frame uses an extension that was not agreed on")
        if second & 0x80:
            raise RemoteProtocolError("a websocket frame from the server is masked")
        if opcode >= CLOSE and (length > CONTROL_LIMIT or not first & 0x80):
            raise RemoteProtocolError("a websocket control frame is in pieces, or longer than 125 bytes")
        if length >= 126:
            size, shape = (2, ">H") if length == 126 else (8, ">Q")
            if len(buffer) < start + size:
                return None
            (length,) = struct.unpack_from(shape, buffer, start)
            start += size
        if self._size + length > self._limit:
            raise MessageTooLarge(f"a websocket message has more than {self._limit} bytes")
        return None if len(buffer) < start + length else (bool(first & 0x80), opcode, start, start + length)

    def _event(self, final: bool, opcode: int, payload: bytes) -> Event | None:
        if opcode in (CLOSE, PING, PONG):
            return Event(opcode, payload)
        if opcode not in (CONTINUATION, TEXT, BINARY) or (opcode == CONTINUATION) != (self._opcode is not None):
            raise RemoteProtocolError(f"a websocket frame of the kind {opcode} makes no sense here")
        if opcode != CONTINUATION:
            if final:
                return Event(opcode, payload)
            self._opcode = opcode
        self._parts.append(payload)
        self._size += len(payload)
        if not final:
            return None
        assert self._opcode is not None
        event = Event(self._opcode, b"".join(self._parts))
        self._parts, self._size, self._opcode = [], 0, None
        return event


def encode(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """Return one frame, masked with four unpredictable bytes, as a client's has to be (RFC 6455, 5.3)."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, length)
    key = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + masked.to_bytes(length, "big")


def close_payload(code: int) -> bytes:
    """Return the payload of a Close frame with *code*."""
    return struct.pack(">H", code)


def says_it_leaves(payload: bytes) -> bool:
    """Tell whether a Close frame says that the server stops."""
    return payload[:2] == struct.pack(">H", GOING_AWAY)


def close_reason(payload: bytes) -> str:
    """Say what a Close frame gave as its reason."""
    if len(payload) < 2:
        return "no reason given"
    (code,) = struct.unpack_from(">H", payload)
    return f"code {code} {payload[2:].decode(errors='replace')}".rstrip()
