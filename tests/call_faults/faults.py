"""
The faults: what each does to a request or to a connection, and what may be raised because of it.

A fault in which the server may have got the request all the same is there in both variants: it did, and it did not.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from connectordb import (
    AuthenticationError,
    CertificateRefused,
    ConnectionFailed,
    ConnectorDBError,
    PermissionDenied,
    ResponseError,
    ServerError,
    TimedOut,
)

from .gate import Exchange, Gate, Meet, Play, Trouble, is_websocket
from .names import Where

_CERTIFICATES = Path(__file__).parent / "certificates"

#: What a client is told to trust.
TRUSTED = _CERTIFICATES / "trusted.pem"

#: Seconds between two bytes of a drip.
_DROP = 0.05

#: Seconds that ``Retry-After`` asks for.
RETRY_AFTER = 1

Errors = tuple[type[ConnectorDBError], ...]


@dataclass(frozen=True)
class Fault:
    """
    See the module.

    Attributes:
        name: What it is called on the command line.
        what: What happens, for the page.
        raises: What a call may raise that meets it. A call that inserts may raise `OutcomeUnknown` as well, where it may have arrived.
        passed_on: The variants: whether the server gets the request.
        is_slow: Whether a call has to wait.
        is_tls: Whether it is one of TLS.
        says_200: Whether it is an answer of 200 with another content, as who asks for the answer itself is given.
    """

    name: str
    what: str
    raises: Errors
    where: Where | None = None
    meet: Meet | None = None
    play: Play | None = None
    passed_on: tuple[bool, ...] = (False,)
    is_slow: bool = False
    is_tls: bool = False
    says_200: bool = False

    @property
    def arrives(self) -> bool:
        """Whether a request may have reached the server, as far as a client can tell."""
        return self.play is not None or self.meet is _reset_at_once

    def trouble(self, is_once: bool, is_passed_on: bool, first: int) -> Trouble:
        """Return what the gate is to do."""
        return Trouble(self.where, self.meet, self.play, is_passed_on, first, is_once)


# --- connections ------------------------------------------------------------------------------------------------------


def _reset_at_once(gate: Gate, plain: socket.socket) -> None:
    plain.recv(1, socket.MSG_PEEK)  # its client has it, and has begun to send: earlier, or later, is chance
    Exchange(gate, plain, b"", b"").reset()


def _never_shakes_hands(gate: Gate, plain: socket.socket) -> None:
    gate.released.wait(30)


def _with_certificate(context: ssl.SSLContext, gate: Gate, plain: socket.socket) -> ssl.SSLSocket:
    return context.wrap_socket(plain, server_side=True)


def tls(name: str) -> ssl.SSLContext:
    """Return the context of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_CERTIFICATES / f"{name}.pem")
    return context


# --- answers ----------------------------------------------------------------------------------------------------------


def _http(status: str, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    named = {"Content_Type": kind, "Content_Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def _says(answer: bytes) -> Play:
    def play(exchange: Exchange) -> bool:
        exchange.client.sendall(answer)
        return True

    return play


def _error(status: str, message: str, **headers: str) -> Play:
    told = {"code": int(status[:3]), "msg": message, "ref": "a1b2c3d4-0000"}
    return _says(_http(status, json.dumps(told).encode(), **headers))


def _parted(exchange: Exchange) -> tuple[bytes, bytes]:
    """Return head and body of what the server answered, or might have; a websocket's handshake has a head alone."""
    if is_websocket(exchange.line):
        return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade", b""
    head, _, body = (exchange.answer or _http("200 OK", b"ok")).partition(b"\r\n\r\n")
    return head, body


def _with_headers(head: bytes, **headers: str) -> bytes:
    lines = head.split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].lower().replace(b"-", b"_").decode() not in headers]
    return b"\r\n".join(
        [*kept, *(f"{name.replace('_', '-')}: {value}".encode() for name, value in headers.items()), b"", b""]
    )


def _silent(exchange: Exchange) -> bool:
    exchange.gate.released.wait(30)
    return False


def _hangs_up(exchange: Exchange) -> bool:
    return False


def _resets(exchange: Exchange) -> bool:
    return exchange.reset()


def _drips(exchange: Exchange, before: bytes, drop: bytes) -> bool:
    exchange.client.sendall(before)
    while not exchange.gate.released.wait(_DROP):
        exchange.client.sendall(drop)
    return False


def _resets_in_the_middle(exchange: Exchange) -> bool:
    head, body = _parted(exchange)
    exchange.client.sendall(head + b"\r\n\r\n" + body[: len(body) // 2] if body else head[: len(head) // 2])
    return exchange.reset()


def _cuts_gzip(exchange: Exchange) -> bool:
    head, body = _parted(exchange)
    packed = gzip.compress(body)
    cut = packed[: len(packed) // 2]
    exchange.client.sendall(_with_headers(head, content_encoding="gzip", content_length=str(len(cut))) + cut)
    return True


def _promises(more: int, exchange: Exchange) -> bool:
    head, body = _parted(exchange)
    exchange.client.sendall(_with_headers(head, content_length=str(max(0, len(body) + more))) + body)
    return more < 0


def _redirects_to_itself(exchange: Exchange) -> bool:
    exchange.client.sendall(_http("302 Found", b"", Location=exchange.line.split(" ")[1]))
    return True


def _redirects_elsewhere(exchange: Exchange) -> bool:
    location = exchange.gate.elsewhere + exchange.line.split(" ")[1]
    exchange.client.sendall(_http("307 Temporary Redirect", b"", Location=location))
    return True


_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_ANY = (False, True)
_NO_ANSWER: Errors = (ConnectionFailed,)
_REFUSAL: Errors = (ServerError,)
_REDIRECTED: Errors = (ServerError, ConnectionFailed)


def _page(status: str, title: str) -> Play:
    return _says(_http(status, _PAGE.format(title).encode(), "text/html"))


_ALL = [
    # there is no connection
    Fault("refused", "nobody listens", _NO_ANSWER, where=Where.NOBODY),
    Fault(
        "reset-at-connect", "the connection is reset before anything is read from it", _NO_ANSWER, meet=_reset_at_once
    ),
    Fault("black-hole", "nothing comes back, not even for connecting", (TimedOut,), where=Where.DARK, is_slow=True),
    Fault("no-name", "the name does not resolve", _NO_ANSWER, where=Where.UNKNOWN),
    Fault("silent-names", "the name server says nothing", (TimedOut,), where=Where.SILENCE, is_slow=True),
    # no answer comes
    Fault(
        "half-open",
        "the connection is dead, and nobody says so",
        (TimedOut,),
        play=_silent,
        passed_on=_ANY,
        is_slow=True,
    ),
    Fault("hang-up", "the connection ends instead of an answer", _NO_ANSWER, play=_hangs_up, passed_on=_ANY),
    Fault("reset", "the connection is reset instead of an answer", _NO_ANSWER, play=_resets, passed_on=_ANY),
    Fault(
        "drip",
        "the answer comes a byte at a time, without end",
        (TimedOut,),
        passed_on=_ANY,
        is_slow=True,
        play=partial(_drips, before=_http("200 OK", b"", Content_Length="100000"), drop=b" "),
    ),
    Fault(
        "drip-of-head",
        "the answer's head comes a byte at a time, without end",
        (TimedOut,),
        is_slow=True,
        play=partial(_drips, before=b"HTTP/1.1 200 OK\r\nX-Long: ", drop=b"x"),
    ),
    Fault(
        "reset-in-answer",
        "the connection is reset in the middle of the answer",
        _NO_ANSWER,
        play=_resets_in_the_middle,
        passed_on=(True,),
    ),
    # what comes is none
    Fault(
        "cut-gzip",
        "the answer is compressed, and cut",
        (ConnectionFailed, ServerError),
        play=_cuts_gzip,
        passed_on=(True,),
    ),
    Fault(
        "longer",
        "``Content-Length`` says more than there is",
        (ConnectionFailed, ServerError),
        play=partial(_promises, 10),
        passed_on=(True,),
    ),
    Fault(
        "shorter",
        "``Content-Length`` says less than there is",
        (ConnectionFailed, ResponseError),
        play=partial(_promises, -1),
        passed_on=(True,),
        says_200=True,
    ),
    Fault(
        "html",
        "200 with a web page, as of a hotel's network",
        _REFUSAL,
        play=_page("200 OK", "Welcome"),
        passed_on=_ANY,
        says_200=True,
    ),
    Fault(
        "half-json",
        "200 with half a JSON text",
        _REFUSAL,
        play=_says(_http("200 OK", b'[{"t":1,"d":')),
        passed_on=(True,),
        says_200=True,
    ),
    Fault("empty", "200 with nothing", _REFUSAL, play=_says(_http("200 OK", b"")), passed_on=(True,), says_200=True),
    # refusals
    Fault(
        "401",
        "401, though the key is right",
        (AuthenticationError,),
        play=_error("401 Unauthorized", "The requested device was not found."),
    ),
    Fault(
        "403",
        "403 of the server's own trouble with its database",
        _REFUSAL,
        passed_on=_ANY,
        play=_error("403 Forbidden", "pq: remaining connection slots are reserved"),
    ),
    Fault(
        "429",
        "429, too many requests",
        (PermissionDenied, ServerError),
        play=_error("429 Too Many Requests", "Slow down."),
    ),
    Fault(
        "429-later",
        f"429 with ``Retry-After: {RETRY_AFTER}``",
        (PermissionDenied, ServerError),
        is_slow=True,
        play=_error("429 Too Many Requests", "Slow down.", Retry_After=str(RETRY_AFTER)),
    ),
    Fault("500", "500", _REFUSAL, play=_error("500 Internal Server Error", "Something broke."), passed_on=_ANY),
    Fault(
        "502",
        "502 of a gateway, with a web page",
        _REFUSAL,
        play=_page("502 Bad Gateway", "Bad Gateway"),
        passed_on=_ANY,
    ),
    Fault("503", "503, not now", _REFUSAL, play=_error("503 Service Unavailable", "ConnectorDB is currently inactive")),
    Fault(
        "503-later",
        f"503 with ``Retry-After: {RETRY_AFTER}``",
        _REFUSAL,
        is_slow=True,
        play=_error("503 Service Unavailable", "ConnectorDB is currently inactive", Retry_After=str(RETRY_AFTER)),
    ),
    Fault("redirect-loop", "redirected to where it is already", _REDIRECTED, play=_redirects_to_itself),
    Fault("redirect-elsewhere", "redirected to another host", _REDIRECTED, play=_redirects_elsewhere),
    # TLS
    Fault(
        "expired",
        "the certificate has expired",
        (CertificateRefused,),
        meet=partial(_with_certificate, tls("expired")),
        is_tls=True,
    ),
    Fault(
        "other-name",
        "the certificate is another host's",
        (CertificateRefused,),
        meet=partial(_with_certificate, tls("other_name")),
        is_tls=True,
    ),
    Fault(
        "unknown-authority",
        "the certificate is of nobody who is known",
        (CertificateRefused,),
        meet=partial(_with_certificate, tls("unknown")),
        is_tls=True,
    ),
    Fault(
        "no-handshake",
        "TLS begins, and never goes on",
        (TimedOut,),
        meet=_never_shakes_hands,
        is_tls=True,
        is_slow=True,
    ),
]

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
