"""What a network does to a websocket: cut at any byte, silent, held up; and what comes in place of a server's words."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable

from ...support.mishaps import answered, lost, request_cut, silence
from ...support.saboteur import Exchange, Fault
from ...support.tunnel import Pipe, Tunnel, is_text
from ..proxy import is_websocket
from ..station import ANSWER, QUIET, Station
from .kind import Kind

#: Bytes of a connection's beginning, with its handshake and its subscriptions, in each direction, and some messages.
_SPAN = 900

#: Seconds until a byte must have come by; a busy machine is slow, too.
_MET, _SLACK = 0.3, 1.5


class Cut(Kind):
    """The connection is cut after every n-th byte, of what is said up and down: now, and of the next connection from its first byte."""

    name = "cut"

    def fault(self, station: Station, number: int) -> None:
        way, after = number % 4, round(self.share(number, 4) * _SPAN)
        tunnel = self.stage.proxy.tunnel()
        tunnel.resets = self.chance.random() < 0.5
        if way < 2:
            _pipe(tunnel, way).cut_after(after if way else after % 200)
            if way == 0:  # little is said up, unless somebody subscribes
                station.chatter()
        else:

            def prepare(next_one: Tunnel) -> None:
                _pipe(next_one, way - 2).cut_after(after)

            self.stage.proxy.prepare(prepare)
            tunnel.cut()
        tunnel.ended.wait(_MET)
        station.beside(0.02)


class HalfOpen(Kind):
    """Nothing is passed on any more, in one direction or both, and no end is told: the connection looks as if it were there."""

    name = "half-open"

    def fault(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        tunnel, before = proxy.tunnel(), proxy.opened
        ways = ((0, 1), (1,), (0,))[number % 3]
        for way in ways:
            _pipe(tunnel, way).silence()
        if ways == (0,):  # the server is heard all the while, so nothing is lost, until it does not hear the client
            station.beside(0.1)
        else:
            took = station.until(
                lambda: proxy.opened > before, QUIET + ANSWER + _SLACK, "a half-open connection made anew"
            )
            self.longest("noticed within", took)


class Stalled(Kind):
    """What is said is held up for a while, for shorter or longer than the client waits, and then delivered."""

    name = "stalled"

    def fault(self, station: Station, number: int) -> None:
        tunnel = self.stage.proxy.tunnel()
        ways = ((0, 1), (1,), (0,))[number % 3]
        for way in ways:
            _pipe(tunnel, way).hold(True)
        station.beside(self.chance.choice((0.02, 0.1, 0.1, 0.4, 0.7)) * self.chance.random())
        for way in ways:
            _pipe(tunnel, way).hold(False)
        station.beside(0.01)


def _pipe(tunnel: Tunnel, way: int) -> Pipe:
    return (tunnel.up, tunnel.down)[way]


def frame(payload: bytes, first: int = 0x81, masked: bool = False) -> bytes:
    """Return a frame as a server sends it, or as none may."""
    length = len(payload)
    head = bytes([length]) if length < 126 else b"\x7e" + struct.pack(">H", length)
    return bytes([first]) + (bytes([head[0] | 0x80]) + head[1:] + b"\0\0\0\0" if masked else head) + payload


#: What no server may say; whoever hears it cannot believe the rest.
_NONSENSE: list[Callable[[bytes], list[bytes]]] = [
    lambda message: [os.urandom(40)],
    lambda message: [b"HTTP/1.1 500 Internal Server Error\r\n\r\n"],
    lambda message: [frame(b"<html>Welcome to our hotel</html>")],
    lambda message: [frame(b"{"), message],
    lambda message: [frame(b""), message],
    lambda message: [frame(b"[1, 2]"), message],
    lambda message: [frame(b"null"), message],
    lambda message: [frame(b'{"data": [{"t": 1, "d": 1}]}'), message],
    lambda message: [frame(b'{"stream": 5, "data": []}'), message],
    lambda message: [frame(b'{"stream": "a/b/c", "data": 5}'), message],
    lambda message: [frame(b'{"stream": "a/b/c", "index": "x", "data": [{"t": 1, "d": 1}]}'), message],
    lambda message: [frame(b"\xff\xfe\xfd"), message],
    lambda message: [frame(b"x", 0xC1), message],
    lambda message: [frame(b"x", 0x83), message],
    lambda message: [frame(b"x", masked=True), message],
    lambda message: [b"\x81\x7f" + b"\xff" * 8, message],
    lambda message: [b"\x81\x7f" + struct.pack(">Q", 1 << 40), message],
    lambda message: [frame(b"x" * 200, 0x89), message],
    lambda message: [frame(b"", 0x09), message],
    lambda message: [frame(b"x", 0x80), message],
    lambda message: [frame(b'{"stream"', 0x01), frame(b"{}"), message],
    lambda message: [frame(b"", 0x88)],
    lambda message: [frame(struct.pack(">H", 1011) + b"oops", 0x88)],
    lambda message: [frame(b"\x01", 0x88)],
    lambda message: [message[: len(message) // 2], b"\0" * 100],
]

#: What is odd, and does no harm.
_HARMLESS: list[Callable[[bytes], list[bytes]]] = [
    # what is not stored has no index, and nobody can tell that it comes again
    lambda message: [message] if b"/ephemeral" in message else [message, message],
    lambda message: [frame(b'{"stream": "a/b/c", "data": [{"t": 1, "d": 1}]}'), message],
    lambda message: [frame(b'{"stream": "a/b/c", "index": 3, "data": [{"t": 1, "d": 1}]}'), message],
    lambda message: [frame(b'{"stream": "a/b/c", "ended": "deleted"}'), message],
    lambda message: [frame(b'{"id": 987654, "ok": {}}'), message],
    lambda message: [frame(b'{"id": 987654, "error": {"code": 500, "msg": "whatever", "ref": "1"}}'), message],
    lambda message: [frame(b"", 0x89), frame(b"12345678", 0x8A), frame(b"no number", 0x8A), message],
]


class Garbage(Kind):
    """Frames that are none, JSON that is none, messages that are nobody's, in the place of a message or before it; and messages again."""

    name = "garbage"

    def fault(self, station: Station, number: int) -> None:
        what = [*_NONSENSE, *_HARMLESS]
        self.stage.proxy.tunnel().down.change(what[number % len(what)])
        station.beside(0.03 + 0.03 * self.chance.random())


class Swallowed(Kind):
    """
    A server does not say some of what it should, and the connection is as before.

    Of a server that says indices it is believed that it said all, until something follows; one that does not is looked at.
    """

    name = "swallowed"

    def fault(self, station: Station, number: int) -> None:
        tunnel = self.stage.proxy.tunnel()
        tunnel.down.change(*[_unsaid] * self.chance.choice((1, 1, 2, 10)))
        if number % 3 == 0 and not station.is_told_indices:  # nothing follows
            station.writers.pause()
            flow = station.flows[self.chance.choice(("first", "second"))]
            station.writers.write(flow.path, self.chance.choice((1, 3)))
            station.beside(0.02)
            return
        station.beside(0.04)
        station.writers.pause()
        tunnel.calm()
        for flow in station.flows.values():
            station.writers.write(flow.path)


def _unsaid(message: bytes) -> Iterable[bytes]:
    stored = is_text(message) and b'"data"' in message and b"/ephemeral" not in message
    return [] if stored else [message]


_HTML = {"Content-Type": "text/html"}
_LOGIN = b'{"code":401,"msg":"Login Failed. Check your username or password","ref":"f-1"}'


def _switched(accept: bytes, rest: bytes = b"") -> Fault:
    """A handshake is answered with 101 by somebody who does not know how."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

    def fault(exchange: Exchange) -> bool:
        exchange.reply(head + (b"Sec-WebSocket-Accept: " + accept + b"\r\n" if accept else b"") + b"\r\n" + rest)
        return False

    return fault


def _half_an_answer(exchange: Exchange) -> bool:
    exchange.reply(b"HTTP/1.1 101 Switching Pro")
    return False


_HANDSHAKES: list[Fault] = [
    answered(200, b"<html>Welcome to our hotel</html>", _HTML),
    answered(302, b"", {"Location": "http://login.example/"}),
    answered(404, b"<html>Not Found</html>", _HTML),
    answered(500, b""),
    answered(502, b"<html>Bad Gateway</html>", _HTML),
    answered(503, b"<html>Unavailable</html>", {**_HTML, "Retry-After": "0"}),
    answered(503, b'{"code":503,"msg":"stopping","ref":"f-1"}', {"Retry-After": "1"}),
    answered(429, b"", {"Retry-After": "0"}),
    answered(401, _LOGIN, {"Content-Type": "application/json"}),
    answered(403, b"<html>Forbidden</html>", _HTML),
    _switched(b""),
    _switched(b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    _switched(b"AAAAAAAAAAAAAAAAAAAAAAAAAAA=", os.urandom(50)),
    _half_an_answer,
    request_cut(0.5),
    lost,
    silence,
]


class Handshake(Kind):
    """
    The connection is lost, and the next handshakes are answered by gateways, portals and servers that are not ready, or not at all.

    A 401 that passes is among them: the key is as good as before.
    """

    name = "handshake"

    def fault(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        for turn in range(self.chance.choice((1, 1, 1, 3))):
            proxy.next(_HANDSHAKES[(number + 5 * turn) % len(_HANDSHAKES)], is_websocket)
        before = proxy.opened
        proxy.tunnel().cut()
        station.until(lambda: proxy.opened > before, 10.0, "a connection after handshakes that failed")


class AtOnce(Kind):
    """The program has the connection made anew, `reconnect`, at any moment, twice in a row too."""

    name = "reconnect"

    def fault(self, station: Station, number: int) -> None:
        for _ in range(self.chance.choice((1, 1, 2, 5))):
            station.client.reconnect()
            station.beside(0.02 * self.chance.random())
        if number % 3 == 0:
            self.stage.proxy.tunnel().cut()
            station.client.reconnect()


KINDS = [Cut, HalfOpen, Stalled, Garbage, Swallowed, Handshake, AtOnce]
