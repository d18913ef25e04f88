"""Websocket handshakes and frames made by Hypothesis, and a client that sends them and reads what comes until it knows enough."""

from __future__ import annotations

import json
import socket
import struct
import time
from dataclasses import dataclass

from hypothesis import strategies as st

from . import catalogue as junk
from .making import with_key
from .talking import DEADLINE, Wrong

_KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="

#: Lines of a handshake that is none.
_HANDSHAKES: tuple[tuple[bytes, ...], ...] = (
    (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"),
    (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: x"),
    (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 99", _KEY),
    (b"Upgrade: websocket", b"Connection: close", b"Sec-WebSocket-Version: 13", _KEY),
    (b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", _KEY),
    (b"Upgrade: websocket, h2c", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", _KEY),
    (
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        _KEY,
        b"Origin: http://evil.example",
        b"Cookie: connectordb-session=x",
    ),
    (
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        _KEY,
        b"Sec-WebSocket-Extensions: permessage-deflate; x=\xff",
    ),
    (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", _KEY, b"Content-Length: 5"),
)
_HANDSHAKE = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", _KEY)


@dataclass(frozen=True)
class Frame:
    """
    A frame as it goes over the wire.

    Attributes:
        opcode: What it says it is; 3 to 7 and 11 to 15 are nothing.
        payload: What is in it.
        fin: Whether it says that the message ends with it.
        masked: Whether it is masked, as a client's must be.
        reserved: The reserved bits, which must be 0.
        length: What it says its length is, if not what it is.
    """

    opcode: int
    payload: bytes
    fin: bool = True
    masked: bool = True
    reserved: int = 0
    length: int = -1

    def wire(self) -> bytes:
        """Return its bytes."""
        length = len(self.payload) if self.length < 0 else self.length
        mask_bit = 128 if self.masked else 0
        head = bytes([(128 if self.fin else 0) | self.reserved << 4 | self.opcode])
        if length < 126:
            head += bytes([mask_bit | length])
        elif length < 1 << 16:
            head += struct.pack("!BH", mask_bit | 126, length)
        else:
            head += struct.pack("!BQ", mask_bit | 127, length)
        if not self.masked:
            return head + self.payload
        mask = b"\x01\x02\x03\x04"
        return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.payload))


@dataclass(frozen=True)
class Session:
    """
    What is done with one websocket.

    Attributes:
        key: Who opens it; ``""`` for nobody.
        handshake: Header lines.
        frames: What is sent then.
        closes: Whether the client says goodbye; else it hangs up.
    """

    key: str
    handshake: tuple[bytes, ...]
    frames: tuple[Frame, ...]
    closes: bool


@st.composite
def _command(draw: st.DrawFn, tame: bool) -> bytes:
    """Draw a command, most of it right; a *tame* one is none that a connection is closed for."""
    small = st.sampled_from(tuple(value for value in junk.JSON if len(value) < 100))
    wrong = st.just(False) if tame else st.sampled_from((False,) * 5 + (True,))
    paths = (
        b"fa/plain/number",
        b"fa/plain/object",
        b"fa/plain/down",
        b"fa/plain/down/downlink",
        b"fa/plain/brief",
        b"fb/user/s",
    )
    bad_paths = (
        b"",
        b"fa",
        b"fa/plain",
        b"fa/plain/nosuch",
        b"a/b/c/d",
        b"keeper/user/canary",
        b"//",
        b"fa/plain/number/",
        b"\\u0000",
    )
    members = []
    cmd = draw(st.sampled_from((b'"subscribe"', b'"unsubscribe"', b'"insert"', b'"unsubscribe_all"', b'"x"')))
    members.append(b'"cmd":' + (draw(small) if draw(wrong) else cmd))
    members.append(b'"arg":' + (draw(small) if draw(wrong) else b'"%s"' % draw(st.sampled_from(paths * 3 + bad_paths))))
    if draw(st.booleans()):
        members.append(
            b'"transform":'
            + draw(
                st.sampled_from((b'""', b"null") if tame else (b'""', b'"sum"', b'"if last"', b"null", b"5", b'"("'))
            )
        )
    if draw(st.booleans()):
        t = draw(st.sampled_from((b"1", b"0", b"-1", b"null", b"1e12", b"5", *(() if tame else (b'"x"',)))))
        value = b"5" if tame else draw(small)
        members.append(b'"d":' + (draw(small) if draw(wrong) else b'[{"t":%s,"d":%s}]' % (t, value)))
    if draw(st.booleans()):
        right = (b"1", b'"a"', b"null", b"2", b"3")
        members.append(
            b'"id":' + draw(st.sampled_from(right if tame else (*right, b"[]", b"1e400", b'"' + b"i" * 2000 + b'"')))
        )
    return b"{" + b",".join(members) + b"}"


@st.composite
def _frame(draw: st.DrawFn) -> Frame:
    kind = draw(st.sampled_from(("command",) * 6 + ("junk", "control", "strange")))
    if kind == "command":
        return Frame(draw(st.sampled_from((1, 1, 1, 2))), draw(_command(tame=False)))
    if kind == "junk":
        return Frame(draw(st.sampled_from((1, 2))), draw(st.sampled_from(junk.BODIES)))
    if kind == "control":
        closing = (
            b"",
            b"\x03\xe8",
            b"\x03\xe8bye",
            b"\x00\x00",
            b"\x03",
            b"\x03\xed",
            b"\xff\xff",
            b"\x03\xe8\xff\xfe",
        )
        return Frame(
            *draw(
                st.sampled_from(
                    (
                        *((8, code) for code in closing),
                        (9, b""),
                        (9, b"x" * 125),
                        (9, b"y" * 126),
                        (10, b""),
                        (10, b"z"),
                    )
                )
            )
        )
    return draw(
        st.builds(
            Frame,
            st.integers(0, 15),
            st.sampled_from((b"", b"{}", b"x" * 300, b"\xff")),
            st.booleans(),
            st.booleans(),
            st.integers(0, 7),
            st.sampled_from((-1, -1, -1, 0, 5, 125, 70000, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)),
        )
    )


_a_frame = _frame()
_a_command = st.builds(Frame, st.just(1), _command(tame=True))


@st.composite
def sessions(draw: st.DrawFn, longest: int = 20) -> Session:
    """Draw what is done with a websocket."""
    handshake = _HANDSHAKE if draw(st.sampled_from((True,) * 7 + (False,))) else draw(st.sampled_from(_HANDSHAKES))
    number = draw(st.sampled_from((0, 1, longest // 2, longest)))
    frame = draw(st.sampled_from((_a_frame, _a_command)))
    return Session(
        draw(st.sampled_from((*junk.KEYS, "", "key-none"))),
        handshake,
        tuple(draw(frame) for _ in range(number)),
        draw(st.booleans()),
    )


def attend(address: tuple[str, int], session: Session) -> int:
    """
    Do what a session says; return the number of messages that came.

    Raises:
        Wrong: The server neither answers nor hangs up, or sends what it must not.
    """
    lines = [
        b"GET /api/v1/websocket HTTP/1.1",
        b"Host: localhost",
        *([with_key(session.key)] if session.key else []),
        *session.handshake,
    ]
    with socket.create_connection(address, DEADLINE) as connection:
        connection.settimeout(DEADLINE)
        try:
            connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
            head, rest = _head(connection)
            status = int(head.split(b" ", 2)[1])
            if status >= 500 and status != 503:
                raise Wrong(f"a failure: {head!r} to {session!r}")
            if status != 101:
                return 0
            connection.sendall(b"".join(frame.wire() for frame in session.frames))
            # whoever is still obeyed gets this pong; what comes before it is read on the way
            connection.sendall(Frame(9, b"the end").wire())
            number = _listen(connection, rest)
            if session.closes:
                connection.sendall(Frame(8, b"\x03\xe8").wire())
                _listen(connection, b"")
            return number
        except TimeoutError as error:
            raise Wrong(f"the server neither answers nor hangs up within {DEADLINE:g} s: {session!r}") from error
        except (ConnectionResetError, BrokenPipeError):
            return 0  # it has hung up


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        came = connection.recv(65536)
        if not came:
            raise Wrong(f"the server hung up instead of answering a handshake: {data!r}")
        data += came
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _listen(connection: socket.socket, data: bytes) -> int:
    """Read messages until the pong, a close frame or the end."""
    number, message, deadline = 0, b"", time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        while (found := _take(data)) is not None:
            opcode, fin, payload, size = found
            data = data[size:]
            if opcode == 8 or (opcode == 10 and payload == b"the end"):
                return number
            if opcode in (0, 1):
                message += payload
                if fin:
                    number += 1
                    _check(message)
                    message = b""
            elif opcode not in (9, 10):
                raise Wrong(f"a frame with the opcode {opcode}: {payload[:100]!r}")
        came = connection.recv(1 << 18)
        if not came:
            return number
        data += came
    raise TimeoutError


def _check(message: bytes) -> None:
    try:
        said = json.loads(message)
    except ValueError as error:
        raise Wrong(f"a message that is no JSON: {message[:200]!r}") from error
    if not isinstance(said, dict) or not ({"stream", "data"} <= set(said) or "id" in said or "ended" in said):
        raise Wrong(f"a message that is neither points nor an answer: {message[:200]!r}")


def _take(data: bytes) -> tuple[int, bool, bytes, int] | None:
    """Return opcode, fin, payload and size of the frame that *data* begins with, if it is all there."""
    if len(data) < 2:
        return None
    if data[0] & 0x70 or data[1] & 128:
        raise Wrong(f"a frame with reserved bits or a mask: {data[:20]!r}")
    length, at = data[1], 2
    if length == 126:
        length, at = int.from_bytes(data[2:4], "big"), 4
    elif length == 127:
        length, at = int.from_bytes(data[2:10], "big"), 10
    if len(data) < at or len(data) < at + length:
        return None
    return data[0] & 15, bool(data[0] & 128), data[at : at + length], at + length
