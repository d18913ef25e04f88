"""
The HTTP side of the server: requests to handlers, replies to answers, whatever goes wrong to the error body.

With ``websocket.py`` the only place that knows aiohttp, of which it uses the low-level server: routing is a table of our own
(``routing.py``), as redirections, 404 and 405 are part of the wire too.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ..exceptions import ClosedError, ConnectorDBError, StorageFull
from ..protocol import json_text
from ..protocol.constants import REQUEST_BYTES_LIMIT
from ..protocol.features import HEADER, Features
from .accounts import read_credentials
from .handlers import Kind, Refusal, Reply
from .handlers.data import WentAway
from .routing import Redirect, Route, route
from .service import Service
from .websocket import Connection, Timing

log = logging.getLogger(__name__)

#: Seconds that a request's body may take to arrive, and that an idle connection is kept.
BODY_TIMEOUT = 60.0
KEEPALIVE = 75.0

#: Seconds that requests under way are given when the server stops.
SHUTDOWN_TIMEOUT = 5.0

#: Seconds between taking no more connections and closing those there are.
_SETTLING = 0.02

#: Bytes of bodies that are held at once: enough for a dozen of the longest. Whoever is not logged in can send them, too.
BODIES_LIMIT = 128 * 1024 * 1024

#: Bytes of the request line, and of one header.
_LINE_LIMIT = 64 * 1024

_HEADERS = {
    "X-Frame-Options": "deny",
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    HEADER: str(Features(durable=True)),
}
_NOT_CACHED = {"Cache-Control": "no-store, must-revalidate"}

# Pages of other origins may talk to the server, but there is nothing that a browser would send along by itself: no cookies
# are set, and no header asks for a password.
_OTHER_ORIGIN = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}


@dataclass(slots=True)
class _Body:
    """How much of a request's body is held."""

    size: int = 0


class App:
    """The server's answers to HTTP requests. Used on the event loop's thread only."""

    def __init__(self, service: Service, timing: Timing, body_timeout: float = BODY_TIMEOUT) -> None:
        self._service = service
        self._timing = timing
        self._body_timeout = body_timeout
        self._connections: set[Connection] = set()
        self._stopping = False
        #: Of all connections that are open.
        self.transports: set[asyncio.WriteTransport] = set()
        #: Bytes of bodies that are held now.
        self._held = 0
        self._runner = web.ServerRunner(
            _Server(
                self,
                access_log=None,
                logger=log,
                keepalive_timeout=KEEPALIVE,
                max_line_size=_LINE_LIMIT,
                max_field_size=_LINE_LIMIT,
                # compressed bodies are not part of the wire, and small ones can become huge
                auto_decompress=False,
            ),
            shutdown_timeout=SHUTDOWN_TIMEOUT,
        )

    async def start(self, listener: socket.socket) -> None:
        """Listen on a socket that is bound."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener, backlog=1024).start()

    async def stop(self) -> None:
        """Take no more requests, finish those under way, close the websockets."""
        self._stopping = True
        for site in list(self._runner.sites):
            await site.stop()
        await asyncio.gather(*(connection.close() for connection in self._connections))
        # a connection that has just come needs some turns to begin, before which nothing tells it to end
        await asyncio.sleep(_SETTLING)
        await self._runner.cleanup()
        for transport in list(self.transports):
            transport.abort()  # closing alone waits for clients that do not read
        while self.transports:
            await asyncio.sleep(0)

    # --- one request ---

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, whatever happens."""
        headers = {**_HEADERS, **(_OTHER_ORIGIN if "Origin" in request.headers else {})}
        body = _Body()
        try:
            return await self._answer(request, headers, body)
        except Refusal as refusal:
            return self._error(request, headers, refusal.status, refusal.message)
        except ClosedError:
            return self._error(request, headers, 503, "ConnectorDB is shutting down")
        except StorageFull as full:
            log.error("%s: %s", _asked(request), full)
            return self._error(request, headers, 507, "The server's disk is full; nothing was stored.")
        except web.RequestPayloadError as error:
            return self._error(request, headers, 400, f"the body is broken: {error}")
        except ConnectionError:
            raise  # nobody is left to be answered
        except Exception as error:
            ref = str(uuid.uuid4())
            expected = isinstance(error, ConnectorDBError)
            log.error("%s failed (ref %s): %s", _asked(request), ref, error, exc_info=not expected)
            return self._error(request, headers, 500, "The server failed; its log says why.", ref)
        finally:
            self._held -= body.size

    async def _answer(self, request: web.BaseRequest, headers: dict[str, str], body: _Body) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(headers={**headers, **_OTHER_ORIGIN, **_PREFLIGHT})
        raw_path, _, query_text = request.raw_path.partition("?")
        goal = route(request.method, raw_path.partition("#")[0], query_text)
        if isinstance(goal, Redirect):
            return web.Response(status=301, headers={**headers, "Location": goal.location})
        query = request.rel_url.query
        credentials = read_credentials(request.headers.get("Authorization"), query.get("apikey"))
        if goal.does == "listen":
            return await self._listen(request, headers, goal, credentials)
        asked = self._service.request(
            query={name: query[name] for name in query},
            q=tuple(query.getall("q", ())),
            body=await self._body(request, body),
        )
        reply = await self._service.answer(goal, credentials, asked)
        return await self._send(request, headers, reply)

    async def _listen(
        self, request: web.BaseRequest, headers: dict[str, str], goal: Route, credentials: Any
    ) -> web.StreamResponse:
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            goal.handler()
        caller = await self._service.caller(credentials)
        if self._stopping:
            raise ClosedError("the server is stopping")
        connection = Connection(self._service, caller, self._timing)
        self._connections.add(connection)
        try:
            return await connection.run(request, headers)
        finally:
            self._connections.discard(connection)

    async def _body(self, request: web.BaseRequest, body: _Body) -> bytes:
        """Return the request's body, if it is not too long and does not take too long; *body* counts it."""
        if not request.can_read_body:
            return b""
        if (request.content_length or 0) > REQUEST_BYTES_LIMIT:
            raise _too_long()
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # else the answer would seem to have begun
        try:
            return await asyncio.wait_for(self._read(request, body), self._body_timeout)
        except asyncio.TimeoutError as error:
            raise Refusal(400, f"the body did not arrive within {self._body_timeout:g} s") from error

    async def _read(self, request: web.BaseRequest, body: _Body) -> bytes:
        parts: list[bytes] = []
        while part := await request.content.readany():
            parts.append(part)
            body.size += len(part)
            self._held += len(part)
            if body.size > REQUEST_BYTES_LIMIT:
                raise _too_long()
            if self._held > BODIES_LIMIT:
                raise Refusal(503, "Too much is being sent to the server at once; try again later.")
        return b"".join(parts)

    # --- answers ---

    async def _send(self, request: web.BaseRequest, headers: Mapping[str, str], reply: Reply) -> web.StreamResponse:
        about = {**headers, **({} if reply.cacheable else _NOT_CACHED), "Content-Type": reply.kind.value}
        if reply.rest is None:
            return web.Response(body=reply.body, headers=about)
        response = web.StreamResponse(headers=about)
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        try:
            await response.write(reply.body)
            while (piece := await self._service.page(reply.rest)) is not None:
                await response.write(piece)
            await response.write_eof()
        except ConnectionError:
            raise
        except Exception as error:
            # The status is sent; only a connection that ends too early still tells the client.
            expected = isinstance(error, ConnectorDBError)
            level = logging.INFO if isinstance(error, WentAway) else logging.ERROR
            log.log(level, "the answer to %s was broken off: %s", _asked(request), error, exc_info=not expected)
            if request.transport is not None:
                request.transport.abort()
        return response

    def _error(
        self, request: web.BaseRequest, headers: Mapping[str, str], status: int, message: str, ref: str = ""
    ) -> web.Response:
        ref = ref or str(uuid.uuid4())
        log.debug("%s: %s %r (ref %s)", _asked(request), status, message, ref)
        return error_response(status, message, ref, headers)

    def broken(self, status: int, message: str) -> web.Response:
        """Return the answer to what is no HTTP request."""
        return error_response(status, message, str(uuid.uuid4()), _HEADERS)


def _asked(request: web.BaseRequest) -> str:
    """Return a request for the log: still quoted, so that it is one line, and without the query, which may hold a key."""
    return f"{request.method} {request.raw_path.partition('?')[0]}"


def error_response(status: int, message: str, ref: str, headers: Mapping[str, str]) -> web.Response:
    """Return an answer with the error body."""
    body = json_text.dumps({"code": status, "msg": message.encode(errors="replace").decode(), "ref": ref})
    about = {**headers, **_NOT_CACHED, "Content-Type": Kind.JSON.value}
    return web.Response(status=status, body=body, headers=about)


def _too_long() -> Refusal:
    return Refusal(
        413, f"the body is longer than {REQUEST_BYTES_LIMIT // 2**20} MiB; send the points in smaller pieces"
    )


class _Server(web.Server):
    """aiohttp's server, with the error body also where it answers by itself."""

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app.handle, **options)
        self._app = app
        self._options = options

    def __call__(self) -> web.RequestHandler:
        """Return what speaks HTTP on a new connection."""
        return _Connection(self._app, self, loop=asyncio.get_running_loop(), **self._options)


class _Connection(web.RequestHandler):
    """aiohttp's connection, with the error body for what is no HTTP."""

    __slots__ = ("_our_app", "_our_transport")

    def __init__(self, app: App, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._our_app = app

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        assert isinstance(transport, asyncio.WriteTransport)
        self._our_transport = transport
        self._our_app.transports.add(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._our_app.transports.discard(self._our_transport)

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
        if isinstance(exc, HttpProcessingError):
            log.debug("from %s: no HTTP request: %s", request.remote, exc.message)
        elif isinstance(exc, ConnectionError):
            log.debug("%s went away before it was answered", request.remote)
        else:
            log.error("answering %s failed", request.remote, exc_info=exc)
        response = self._our_app.broken(status, f"not an HTTP request: {message}" if message else "the server failed")
        response.force_close()
        return response
