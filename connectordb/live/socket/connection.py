"""
One websocket to a server: opening it, bytes out, frames in. The only module that imports websocket-client, when it is first used.

The server is reached in the same way as for REST requests (the room ``network``), then the library does the handshake; one timeout
covers all of that. From then on the socket does not block, and only the one thread that owns it reads and writes it: a TLS
socket must not be written by one thread while another reads it.
"""

from __future__ import annotations

import os
import socket
import ssl
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ...exceptions import CertificateRefused, ConnectionFailed, ConnectorDBError, LocalProtocolError, TimedOut
from ...network import Proxy, ProxyFailed, Trust, certificate_advice, open_way, proxy_for
from ...protocol import features, refusals
from ...protocol.constants import API_ROOT
from ...protocol.reply import Reply
from ...runtime.clock import Deadline
from ...runtime.unshown import UnshownText
from . import frames

#: The largest message that we accept from the server, in bytes. An insert has at most 10 MiB, in an encoding of the server's own; as
#: JSON it can be a few times as large.
MESSAGE_LIMIT = 64 * 1024 * 1024

#: Bytes of one read or write. With larger ones, messages would have left the processor's cache by the time they are decoded.
_CHUNK = 64 * 1024

#: How many reads in a row, before the thread looks after other things again.
_READS = 8

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where to connect, and how.

    Attributes:
        url: The server, without ``/api/v1``.
        trust: The certificates for TLS.
        proxies: As for requests: scheme → the proxy's URL. Default: those of the environment.
        timeout: Seconds until the websocket has to be open.
    """

    url: str
    trust: Trust = field(default_factory=Trust)
    proxies: Mapping[str, str] | None = None
    timeout: float = 5.0

    @property
    def websocket_url(self) -> str:
        """The address of the websocket."""
        scheme, colon, rest_of_it = self.url.rstrip("/").partition("://")
        if not colon or scheme not in ("http", "https"):
            raise LocalProtocolError(f"{self.url!r} is no address of a server: expected http://… or https://…")
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest_of_it}{API_ROOT}/websocket"


class Connection:
    """
    One connection, from opening to closing. Only one thread may use it, except for `abort`.

    Attributes:
        has_more: Whether bytes may be waiting that selecting does not show.
        received: How many bytes have come.
        announced: What the server says it can do beyond 0.3, as `features` reads it; ``None`` from an original server.
    """

    def __init__(self, target: Target) -> None:
        import websocket

        self._target = target
        self._websocket = websocket.WebSocket(skip_utf8_validation=True)
        self._socket: socket.socket | None = None
        #: The socket, from before the handshake on, for `abort`.
        self._way: socket.socket | None = None
        self._is_aborted = False
        self._is_secure = target.url.startswith("https:")
        self._reader = frames.Reader(MESSAGE_LIMIT)
        self._out = bytearray()
        # one buffer for all reads: allocating memory each time would cost more than the reads
        self._room = memoryview(bytearray(_CHUNK))
        self.has_more = False
        self.received = 0
        self.announced: str | None = None

    def open(self, authorization: str | None) -> None:
        """
        Connect, and shake hands.

        Raises:
            ConnectionFailed: The server cannot be reached, or is not a ConnectorDB server.
            AuthenticationError: It refused the credentials.
        """
        target = self._target
        deadline = Deadline(target.timeout)
        address = target.websocket_url
        proxy = proxy_for(target.url, target.proxies or {})
        with _translated(target, proxy), _library_translated(target, self._websocket, proxy):
            way = open_way(
                target.url,
                proxy,
                target.trust,
                lambda: _left(deadline),
                lambda: self._is_aborted,
                self._opened,
            )
            self._websocket.connect(  # type: ignore[no-untyped-call]
                address,
                header=[UnshownText(f"Authorization: {authorization}")] if authorization else [],
                # following a redirect would carry the credentials to another server
                redirect_limit=0,
                socket=_InTime(way, deadline),
            )
            answer = self._websocket.handshake_response
            assert answer is not None
            self.announced = answer.headers.get(features.HEADER.lower())
            way.setblocking(False)
            self._socket = way

    def abort(self) -> None:
        """Cut a handshake short; any thread may call this."""
        self._is_aborted = True
        held = self._way
        if held is not None:
            try:
                # not the TLS socket's own method, which would touch what the other thread is using
                socket.socket.shutdown(held, socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed meanwhile

    def _opened(self, held: socket.socket) -> None:
        """Note the socket that `abort` has to end; raise if `abort` was called before."""
        self._way = held
        if self._is_aborted:
            raise InterruptedError("it was broken off")

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        assert self._socket is not None
        return self._socket.fileno()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the network."""
        return len(self._out)

    def send(self, opcode: int, payload: bytes) -> None:
        """Queue one frame; `flush` sends it."""
        self._out += frames.encode(opcode, payload, os.urandom(4))

    def flush(self) -> None:
        """
        Send what waits, as far as the network takes it.

        Raises:
            ConnectionFailed: The connection is broken.
        """
        if not self._out:
            return
        assert self._socket is not None
        with _translated(self._target):
            while self._out:
                try:
                    sent = self._socket.send(self._out[:_CHUNK])
                except _WOULD_BLOCK:
                    return
                del self._out[:sent]

    def receive(self) -> list[frames.Event]:
        """
        Return what has arrived, without waiting.

        Raises:
            ConnectionFailed: The connection is broken, or was closed without a word.
            RemoteProtocolError: What arrived makes no sense, or is too large.
        """
        assert self._socket is not None
        events: list[frames.Event] = []
        with _translated(self._target):
            for _ in range(_READS):
                try:
                    length = self._socket.recv_into(self._room)
                except _WOULD_BLOCK:
                    self.has_more = False
                    return events
                if not length:
                    if events:  # these first; the next read meets the end again
                        self.has_more = True
                        return events
                    raise ConnectionFailed(f"{self._target.url} closed the websocket without a word")
                self.received += length
                events += self._reader.feed(self._room[:length])
                # selecting does not show what TLS has already decrypted
                if length < _CHUNK and not (self._is_secure and self._socket.pending()):  # type: ignore[attr-defined]
                    self.has_more = False
                    return events
        self.has_more = True
        return events

    def close(self, code: int = frames.NORMAL) -> None:
        """Say goodbye, if that takes no waiting, and close the socket."""
        if self._socket is not None:
            try:
                self.send(frames.CLOSE, frames.close_payload(code))
                self.flush()
            except ConnectionFailed:
                pass  # the server is gone already
        self._socket = None
        if self._way is not None:
            self._way.close()


class _InTime:
    """A socket on which the library shakes hands: one deadline bounds all of its waits together."""

    def __init__(self, held: socket.socket, deadline: Deadline) -> None:
        self._held = held
        self._deadline = deadline

    def recv(self, number: int) -> bytes:
        """Return what comes."""
        self._held.settimeout(_left(self._deadline))
        return self._held.recv(number)

    def send(self, data: bytes) -> int:
        """Send what is taken."""
        self._held.settimeout(_left(self._deadline))
        return self._held.send(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)


def _left(deadline: Deadline) -> float:
    """Return how many seconds are left; raise `TimeoutError` if none are."""
    left = deadline.left()
    if left == 0.0:
        raise TimeoutError("timed out")
    assert left is not None
    return left


@contextmanager
def _library_translated(target: Target, made: Any, proxy: Proxy | None) -> Iterator[None]:
    """Turn websocket-client's errors, and what takes too long while connecting, into ours."""
    import websocket

    try:
        yield
    except websocket.WebSocketBadStatusException as error:
        reply = Reply(error.status_code, error.resp_body or b"")
        raise refusals.refusal("GET", "/websocket", reply) from _forgetful(error)
    except (websocket.WebSocketTimeoutException, TimeoutError) as error:
        raise TimedOut(
            f"connecting a websocket to {target.url}{_through(proxy)}: no answer within {target.timeout:g} s"
        ) from _forgetful(error)
    except websocket.WebSocketException as error:
        answer = made.handshake_response
        if answer is not None:  # a redirect, say
            raise refusals.refusal("GET", "/websocket", Reply(answer.status, b"")) from _forgetful(error)
        raise ConnectionFailed(f"the websocket to {target.url}{_through(proxy)}: {error}") from _forgetful(error)


def _forgetful(error: Exception) -> Exception:
    """Return *error* with the variables of its frames cleared: among them is the request, with the credentials."""
    here: BaseException | None = error
    while here is not None:
        traceback.clear_frames(here.__traceback__)
        here = here.__context__
    return error


def _through(proxy: Proxy | None) -> str:
    return "" if proxy is None else f", through {proxy}"


@contextmanager
def _translated(target: Target, proxy: Proxy | None = None) -> Iterator[None]:
    """Turn the errors of sockets and TLS into ours."""
    try:
        yield
    except ConnectorDBError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(
            f"the certificate of {target.url}{_through(proxy)} is not trusted ({error.verify_message.rstrip('.')}); "
            + certificate_advice(error)
        ) from error
    except ProxyFailed as error:
        raise ConnectionFailed(f"the websocket to {target.url}: {error}") from error
    except (OSError, UnicodeError) as error:
        raise ConnectionFailed(f"the websocket to {target.url}{_through(proxy)}: {error}") from _forgetful(error)
