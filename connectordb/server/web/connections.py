"""
HTTP connections with deadlines: aiohttp's, that end when a client takes too long to ask, to send or to read.

aiohttp parses and writes; it waits for ever for a header, and for a client that does not read. A look at all connections now
and then ends those, and cannot be fooled by a byte now and then.
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

#: Seconds that a client is waited for when the server stops: for the rest of what he sends, for him to read, or for his answer
#: to the end of a websocket.
_STALLED = 1.0

#: Seconds between two looks when the server stops, and the most and fewest otherwise.
_TICK = 0.02
_LOOK_MOST, _LOOK_LEAST = 1.0, 0.05

#: Seconds that what was cut has to notice it; to aiohttp, 0 is for ever.
_CANCELLED = 0.05

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Makes an answer, as bytes, of a status, a text and a reference.
Raw = Callable[[int, str, str], bytes]


class Phase(Enum):
    """What is happening on a connection."""

    IDLE = "nothing has been asked"
    SENDING = "the client sends a body"
    WORKING = "the server works, or sends"
    OPEN = "it is a websocket"


class Connections(web.Server):
    """
    All HTTP connections of a server. Used on the event loop's thread only.

    Args:
        handle: Answers a request.
        broken: Makes the answer to what is no request, of a status, a text and a reference.
        raw: Makes an answer where aiohttp cannot.
        limits: How patient they are.
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
            # compressed bodies are not part of the wire, and small ones can become huge
            "auto_decompress": False,
            "read_bufsize": 2**19,
            "lingering_time": min(_STALLED, limits.body_seconds),
        }
        shortest = min(limits.header_seconds, limits.answer_seconds)
        self._every = max(_LOOK_LEAST, min(_LOOK_MOST, shortest / 4))
        self._next_look = asyncio.get_running_loop().call_later(self._every, self._look)

    def welcome(self, ticket: Pass) -> Connection:
        """Return what speaks HTTP on a new connection."""
        return Connection(self, ticket, loop=asyncio.get_running_loop(), **self._options)

    async def stop(self, seconds: float) -> None:
        """Finish what was begun, *seconds* at most and as far as clients take part; then nothing is left."""
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
    """One HTTP connection: aiohttp's, with the error body also for what is no HTTP, and an end."""

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
        #: The transport also after aiohttp has let go of it, when it still may have to be ended.
        self._whole: asyncio.WriteTransport | None = None
        #: Of the request that is being answered.
        self.patience: Patience | None = None
        self._phase = Phase.IDLE
        #: Since when that is so.
        self._since = 0.0
        #: Since when a request has been arriving; the first one, since the connection is there.
        self._asking: float | None = None
        #: Since when the client has not read what waits for it.
        self._blocked: float | None = None
        #: Since when it should be closed.
        self._closing: float | None = None
        #: Bytes that came behind a request that is being answered.
        self._ahead = 0
        self._held = False
        #: Bytes of a request whose headers are not all there.
        self._arrived = 0

    # --- what asyncio tells ---

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
        """Take bytes; what comes ahead of its turn is bounded."""
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
            self._arrived = 0  # aiohttp has a request, and waits for no other one's headers
        elif self._arrived > self._server.limits.headers_bytes:
            # aiohttp bounds one header, and how many there are: together that is megabytes, before anybody is known
            self._send_off(
                431, f"the address and the headers are longer than {self._server.limits.headers_bytes} bytes"
            )

    def _has_sent(self) -> bool:
        """Tell whether all of the body is there that the handler waits for, or will."""
        request = self._current_request
        return self._phase is Phase.SENDING and request is not None and request.content.is_eof()

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        self._blocked = self._loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that it reads."""
        self._blocked = None
        super().resume_writing()

    # --- what the handlers tell ---

    def begin(self, phase: Phase) -> None:
        """Note what is happening now."""
        self._phase, self._since, self._asking = phase, self._loop.time(), None

    def end(self) -> None:
        """Note that the answer is there."""
        self._phase, self._since, self._ahead = Phase.IDLE, self._loop.time(), 0
        if self._held and self.transport is not None:
            self.transport.resume_reading()
        self._held = False

    def lose_patience(self) -> None:
        """Note that nobody waits for an answer."""
        if self.patience is not None:
            self.patience.close()
            self.patience = None

    # --- looking after it ---

    def look(self, now: float) -> None:
        """End the connection if its client takes too long."""
        limits = self._server.limits
        if self._whole is None:
            return
        if self._closing is None and self._whole.is_closing():
            self._closing = now
        if self._phase is Phase.IDLE and self._asking is not None and now - self._asking > limits.header_seconds:
            self._send_off(408, f"no request arrived within {limits.header_seconds:g} s")
        # a websocket is held by its pongs
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
        """Close the connection if nothing is under way, and cut it if its client keeps the server from stopping."""
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
            # without what follows: the bytes in which that was may be a piece of a key, and do not look like one
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
    """Return the status and text for a request line or a header that is too long; aiohttp tells them apart by the type only."""
    if isinstance(error.args[0], bytearray):
        return 414, f"the address is longer than {limit} bytes"
    return 431, f"a header is longer than {limit} bytes"
