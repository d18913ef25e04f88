"""
HTTP connections that end when their client takes too long to ask, to send or to read.

aiohttp parses and writes, but it would wait for ever for a header, or for a client that does not read. All connections are
looked at from time to time, and such are ended; a client that sends a byte now and then does not escape this.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from ..config import Limits
from ..patience import Patience
from .door import Pass

log = logging.getLogger(__name__)

#: Seconds that a stopping server waits for a client: to send the rest of a request, to read, or to answer the end of a websocket.
_STALLED = 1.0

#: Seconds between two looks at the connections while the server stops; and the longest and shortest such time otherwise.
_TICK = 0.02
_LOOK_MOST, _LOOK_LEAST = 1.0, 0.05

#: Seconds that aiohttp waits for handlers whose connections were cut. To aiohttp, 0 would mean for ever.
_CANCELLED = 0.05

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Makes an answer, as bytes, from a status, a text and a reference.
Raw = Callable[[int, str, str], bytes]


class Phase(Enum):
    """What is happening on a connection."""

    IDLE = "no request is under way"
    SENDING = "the client is sending a body"
    WORKING = "the server is working, or sending the answer"
    OPEN = "it is a websocket"


class Connections(web.Server):
    """
    All HTTP connections of a server. Used on the event loop's thread only.

    Args:
        handle: Answers a request.
        broken: Makes the answer to something that is no HTTP request, from a status, a text and a reference.
        raw: Makes an answer as bytes, where aiohttp cannot send one.
        limits: How long clients may take, and how much they may send.
    """

    def __init__(
        self, handle: Handler, broken: Callable[[int, str, str], web.Response], raw: Raw, limits: Limits
    ) -> None:
        super().__init__(self._handle, access_log=None, logger=log)
        self._answer = handle
        self.broken = broken
        self.raw = raw
        self.limits = limits
        self.all: set[Connection] = set()
        self.stopping = False
        self._options: dict[str, Any] = {
            "access_log": None,
            "logger": log,
            "keepalive_timeout": limits.idle_seconds,
            "max_line_size": limits.line_bytes,
            "max_field_size": limits.line_bytes,
            # compressed bodies are not part of the wire, and a small one can become huge
            "auto_decompress": False,
            "read_bufsize": 2**19,
            "lingering_time": min(_STALLED, limits.body_seconds),
        }
        shortest = min(limits.header_seconds, limits.answer_seconds)
        self._every = max(_LOOK_LEAST, min(_LOOK_MOST, shortest / 4))
        self._next_look = asyncio.get_running_loop().call_later(self._every, self._look)

    def welcome(self, ticket: Pass) -> Connection:
        """Return the protocol that speaks HTTP on a new connection."""
        return Connection(self, ticket, loop=asyncio.get_running_loop(), **self._options)

    async def stop(self, seconds: float) -> None:
        """Finish the requests under way, for at most *seconds* and while their clients keep up; then cut what is left."""
        self.stopping = True
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while self.all and loop.time() < begin + seconds:
            for connection in list(self.all):
                connection.wind_up(begin, loop.time())
            await asyncio.sleep(_TICK)
        self._next_look.cancel()
        for connection in list(self.all):
            connection.abort("the server stops")
        await self.shutdown(_CANCELLED)
        while self.all:
            await asyncio.sleep(0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.begin(Phase.SENDING if request.can_read_body else Phase.WORKING)
        try:
            answer = await self._answer(request)
        finally:
            connection.end()
        if self.stopping:
            answer.force_close()
        return answer

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_look = loop.call_later(self._every, self._look)
        for connection in list(self.all):
            connection.look(loop.time())


class Connection(web.RequestHandler):
    """One HTTP connection: aiohttp's, with deadlines, and with our error body even for input that is no HTTP."""

    __slots__ = (
        "_server",
        "_ticket",
        "_whole",
        "_phase",
        "_since",
        "_asking",
        "_blocked",
        "_closing",
        "_ahead",
        "_arrived",
        "_held",
        "patience",
    )

    def __init__(self, server: Connections, ticket: Pass, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._ticket = ticket
        #: The transport. aiohttp lets go of its own reference early, when the connection may still have to be cut.
        self._whole: asyncio.WriteTransport | None = None
        #: How long the answer that is being made is wanted.
        self.patience: Patience | None = None
        self._phase = Phase.IDLE
        #: When this phase began.
        self._since = 0.0
        #: When the request that is arriving began to; for the first one, when the connection was made.
        self._asking: float | None = None
        #: Since when the client has not been reading.
        self._blocked: float | None = None
        #: Since when the connection has been closing.
        self._closing: float | None = None
        #: Bytes that came ahead, while an earlier request is being answered; and whether reading was paused because of them.
        self._ahead = 0
        self._held = False
        #: Bytes that came of a request whose headers are not complete yet.
        self._arrived = 0

    # --- called by asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._whole = transport
        self._asking = self._since = self._loop.time()
        self._server.all.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._server.all.discard(self)
        self._ticket.give_back()
        super().connection_lost(exc)
        if self.patience is not None:
            self.patience.leave()

    def data_received(self, data: bytes) -> None:
        """Take bytes. How many may come ahead of their turn is bounded."""
        if self._phase is Phase.IDLE:
            if self._asking is None:
                self._asking = self._loop.time()
            self._arrived += len(data)
        elif self._phase is Phase.WORKING or self._has_sent():
            self._ahead += len(data)
            if self._ahead > self._server.limits.line_bytes and self.transport is not None:
                self._held = True
                self.transport.pause_reading()
        super().data_received(data)
        if len(self._messages) > self._server.limits.pipelined_requests:
            self.abort("it asks without waiting for answers")
        if self._waiter is None or self._waiter.done():
            self._arrived = 0  # aiohttp has a complete request, and is not waiting for headers
        elif self._arrived > self._server.limits.headers_bytes:
            # aiohttp bounds the length of a header and their number; together that would still be megabytes from anybody
            self._send_off(
                431, f"the address and the headers are longer than {self._server.limits.headers_bytes} bytes"
            )

    def _has_sent(self) -> bool:
        """Tell whether the whole body of the request that is being answered has come."""
        request = self._current_request
        return self._phase is Phase.SENDING and request is not None and request.content.is_eof()

    def pause_writing(self) -> None:
        """Note that the client is not reading."""
        self._blocked = self._loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client is reading again."""
        self._blocked = None
        super().resume_writing()

    # --- called by the handlers ---

    def begin(self, phase: Phase) -> None:
        """Note what is happening now."""
        self._phase, self._since, self._asking = phase, self._loop.time(), None

    def end(self) -> None:
        """Note that the request is answered."""
        self._phase, self._since, self._ahead = Phase.IDLE, self._loop.time(), 0
        if self._held and self.transport is not None:
            self.transport.resume_reading()
        self._held = False

    def lose_patience(self) -> None:
        """Note that nobody waits for an answer any more."""
        if self.patience is not None:
            self.patience.close()
            self.patience = None

    # --- ending it ---

    def look(self, now: float) -> None:
        """End the connection if its client takes too long."""
        limits = self._server.limits
        if self._whole is None:
            return
        if self._closing is None and self._whole.is_closing():
            self._closing = now
        if self._phase is Phase.IDLE and self._asking is not None and now - self._asking > limits.header_seconds:
            self._send_off(408, f"no request arrived within {limits.header_seconds:g} s")
        # a websocket has its own deadline, for pongs
        blocked = None if self._phase is Phase.OPEN else self._blocked
        for since in (blocked, self._closing):
            if since is not None and now - since > limits.answer_seconds:
                self.abort(f"it has not read for {limits.answer_seconds:g} s")

    def _send_off(self, status: int, why: str) -> None:
        ref = str(uuid.uuid4())
        log.info("a connection is closed: %s (ref %s)", why, ref, extra={"ref": ref, "status": status})
        if self.transport is not None:
            self.transport.write(self._server.raw(status, why, ref))
        self._asking = None
        self._arrived = 0
        self.force_close()

    def wind_up(self, begin: float, now: float) -> None:
        """Close the connection if nothing is under way; cut it if its client keeps the server from stopping."""
        if self._phase is Phase.IDLE and not (self._whole and self._whole.get_write_buffer_size()):
            self.force_close()
        stalled = (
            self._phase in (Phase.SENDING, Phase.OPEN)
            or (self._phase is Phase.IDLE and now - self._since > _STALLED)
            or (self._blocked is not None and now - self._blocked > _STALLED)
        )
        if stalled and now - begin > _STALLED:
            self.abort("the server stops")

    def abort(self, why: str) -> None:
        """Cut the connection."""
        if self._whole is not None:
            log.debug("a connection is cut: %s", why)
            self._whole.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to what could not be read as a request, or could not be answered."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; there is no way to tell of an error any more")
        ref = str(uuid.uuid4())
        details = {"ref": ref, "status": status, "address": request.remote or ""}
        if message is not None and message.startswith("Too many headers"):
            status = 431
        elif isinstance(exc, LineTooLong):
            status, message = _too_long(exc, self._server.limits.line_bytes)
        elif message is not None:
            # only the first line: aiohttp goes on with the bytes in question, which may be a piece of an API key
            message = f"not an HTTP request: {message.partition(chr(10))[0].rstrip(':')}"
        if isinstance(exc, HttpProcessingError):
            log.info("from %s: %s (ref %s)", request.remote, message, ref, extra=details)
        elif isinstance(exc, ConnectionError):
            log.debug("%s went away before it was answered", request.remote)
        else:
            log.error("answering %s failed (ref %s)", request.remote, ref, exc_info=exc, extra=details)
        response = self._server.broken(status, message or "the server failed", ref)
        response.force_close()
        return response


def _too_long(error: LineTooLong, limit: int) -> tuple[int, str]:
    """
    Return the status and the text for a request line or a header that is too long.

    aiohttp tells the two apart only by the type of the error's argument.
    """
    if isinstance(error.args[0], bytearray):
        return 414, f"the address is longer than {limit} bytes"
    return 431, f"a header is longer than {limit} bytes"
