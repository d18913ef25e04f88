"""
The HTTP side of the server: requests to handlers, replies to answers, whatever goes wrong to the error body.

With ``websocket.py`` the only place that knows aiohttp, of which it uses the low-level server: routing is a table of our own
(``routing.py``), as redirections, 404 and 405 are part of the wire too.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from ..exceptions import ClosedError, ConnectorDBError, StorageFull
from ..protocol import json_text
from ..protocol.features import HEADER, Features
from .accounts import read_credentials
from .config import Config
from .connections import Connection as HTTPConnection
from .connections import Connections, Phase
from .door import Bounds, Door
from .handlers import Kind, Refusal, Reply
from .handlers.data import WentAway
from .proxies import Proxies
from .routing import Redirect, Route, route
from .service import Service
from .websocket import Connection, Timing

log = logging.getLogger(__name__)

#: Seconds after which somebody who was refused for want of room may come again.
_RETRY_AFTER = "2"

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

    def __init__(
        self, service: Service, timing: Timing, config: Config, tls: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        self._service = service
        self._timing = timing
        self._limits = config.limits
        self._proxies = Proxies(config.listen.trusted_proxies)
        self._tls = tls
        self._sockets: set[Connection] = set()
        #: Bytes of bodies that are held now.
        self._held = 0
        self.connections = Connections(self.handle, self.broken, _raw, config.limits)
        self.door: Door | None = None

    def start(self, listener: socket.socket) -> None:
        """Take connections of a socket that is bound."""
        limits = self._limits
        bounds = Bounds(limits.connections, limits.connections_per_address, limits.header_seconds)
        self.door = Door(listener, self.connections.welcome, _farewell, bounds, proxies=self._proxies, tls=self._tls)
        self.door.open()

    async def stop(self) -> None:
        """Take no more requests, finish those under way, close the websockets."""
        self.connections.stopping = True
        if self.door is not None:
            self.door.refuse_all("ConnectorDB is shutting down")
        leaving = [asyncio.ensure_future(connection.close()) for connection in self._sockets]
        await self.connections.stop(self._limits.shutdown_seconds)
        if self.door is not None:
            await self.door.close()
        await asyncio.gather(*leaving)

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
        if self.connections.stopping:
            raise ClosedError("the server is stopping")
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
        if self.connections.stopping:
            raise ClosedError("the server is stopping")
        connection = Connection(self._service, caller, self._timing)
        _protocol(request).begin(Phase.OPEN)
        self._sockets.add(connection)
        try:
            return await connection.run(request, headers)
        finally:
            self._sockets.discard(connection)

    async def _body(self, request: web.BaseRequest, body: _Body) -> bytes:
        """Return the request's body, if it is not too long and does not take too long; *body* counts it."""
        if not request.can_read_body:
            return b""
        if (request.content_length or 0) > self._limits.body_bytes:
            raise self._too_long()
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # else the answer would seem to have begun
        seconds = self._limits.body_seconds
        try:
            content = await asyncio.wait_for(self._read(request, body), seconds)
        except asyncio.TimeoutError as error:
            raise Refusal(400, f"the body did not arrive within {seconds:g} s") from error
        _protocol(request).begin(Phase.WORKING)
        return content

    async def _read(self, request: web.BaseRequest, body: _Body) -> bytes:
        parts: list[bytes] = []
        while part := await request.content.readany():
            parts.append(part)
            body.size += len(part)
            self._held += len(part)
            if body.size > self._limits.body_bytes:
                raise self._too_long()
            if self._held > self._limits.bodies_bytes:
                raise Refusal(503, "Too much is being sent to the server at once; try again later.")
        return b"".join(parts)

    def _too_long(self) -> Refusal:
        limit = self._limits.body_bytes
        shown = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit} bytes"
        return Refusal(413, f"the body is longer than {shown}; send the points in smaller pieces")

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
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        about["Retry-After"] = _RETRY_AFTER
    return web.Response(status=status, body=body, headers=about)


def _protocol(request: web.BaseRequest) -> HTTPConnection:
    """Return the connection that a request came by."""
    assert isinstance(request.protocol, HTTPConnection)
    return request.protocol


def _raw(status: int, message: str, ref: str) -> bytes:
    """Return a whole answer with the error body, for a connection that is then closed."""
    answer = error_response(status, message, ref, {**_HEADERS, "Connection": "close"})
    body = answer.body
    assert isinstance(body, bytes)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{key}: {value}" for key, value in answer.headers.items()),
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _farewell(message: str, ref: str) -> bytes:
    """Return the answer to who comes when there is no room."""
    return _raw(503, message, ref)
