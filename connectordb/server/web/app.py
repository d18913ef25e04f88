"""
The HTTP side of the server: turns requests into calls of the service, and replies and errors into answers.

It uses aiohttp's low-level server. Routing is a table of our own (``routing.py``), because redirects, 404 and 405 are part of
the wire too.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus

from aiohttp import web
from multidict import MultiMapping

from ...exceptions import ClosedError
from ...protocol.constants import COLUMNS
from ...protocol.features import IDEMPOTENCY_KEY, TIMEOUT, Features
from ..config import Config
from ..handlers import Kind, Refusal, Reply, Request
from ..operation.health import PATH as HEALTH
from ..operation.health import Health
from ..operation.observer import Observer
from ..patience import NotWanted, Patience, read_timeout
from ..places import Places, TooMany
from ..proxies import Proxies
from ..rights.accounts import ANONYMOUS, Credentials, Known
from ..routing import Redirect, Route, allowed, route
from ..server_timing import Spent
from ..service import Service
from .answers import NOT_CACHED, Answers, Headers, head, send
from .askers import Askers, asked_for
from .bodies import Bodies, Body
from .compression import choose, compressed
from .connections import Connection, Connections, Phase
from .cookies import Cookies
from .door import Bounds, Door
from .failures import STOPPING, Failure, failure
from .listening import room
from .origins import Origins
from .websocket import Websocket
from .whole import fits

log = logging.getLogger(__name__)

#: Credentials of callers who are not logged in, whether that was looked up yet or not.
_STRANGERS: tuple[Credentials, ...] = (None, Known(ANONYMOUS))


class App:
    """
    The server's answers to HTTP requests. Used on the event loop's thread only.

    Args:
        service: Carries out requests.
        config: All settings.
        tls: Returns the TLS context for a new connection; `None` for no TLS.
        secret: Signs session cookies.
        health: Tells whether the server can do its work.
    """

    def __init__(
        self,
        service: Service,
        config: Config,
        tls: Callable[[], ssl.SSLContext] | None,
        secret: bytes,
        health: Health,
    ) -> None:
        self._service = service
        self._config = config
        self.limits = config.limits
        self._proxies = Proxies(config.listen.trusted_proxies)
        self._origins = Origins(config.listen.allowed_origins, config.listen.site_url)
        cookies = Cookies(secret, config.login.cookie_days)
        self._askers = Askers(self._proxies, self._origins, cookies, config.listen.site_url)
        #: Requests and websockets of each client behind a trusted proxy: the door counts only connections, which are the proxy's.
        self._guests = Places(config.limits.connections_per_address)
        self._websockets: set[Websocket] = set()
        self._bodies = Bodies(config.limits)
        self._health = health
        self.observer = Observer(log_requests=config.log.requests)
        self.answers = Answers(
            Features(durable=True, idempotency=config.idempotency.seconds, ws_id=True, ws_index=True)
        )
        self.connections = Connections(self.handle, self.answers.error, self.answers.raw, config.limits)
        bounds = Bounds(
            room(config.limits.connections), config.limits.connections_per_address, config.limits.header_seconds
        )
        self._door = Door(self.connections.welcome, self.answers.farewell, bounds, proxies=self._proxies, tls=tls)

    def start(self, listener: socket.socket) -> None:
        """Accept connections of a listening socket."""
        self._door.open(listener)

    async def stop(self) -> None:
        """Accept no more requests, finish those under way, close the websockets."""
        self.connections.stopping = True
        self._door.refuse_all(STOPPING)
        leaving = [asyncio.ensure_future(websocket.close()) for websocket in self._websockets]
        await self.connections.stop(self.limits.shutdown_seconds)
        await self._door.close()
        await asyncio.gather(*leaving)

    def why_not(self) -> str:
        """Return why the server is not ready; empty if it is."""
        if self.connections.stopping:
            return "the server is stopping"
        return self._health.why_not()

    def now(self) -> tuple[int, int, int]:
        """Return how many connections there are, how many were sent away so far, and how many websockets there are."""
        return self._door.count, self._door.refused, len(self._websockets)

    # --- one request ---

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, whatever happens."""
        begin = time.perf_counter()
        body = Body()
        answer = await self._handled(request, body)
        if self.observer.wanted:
            self.observer.answered(
                request.method,
                request.raw_path.partition("?")[0],
                answer.status,
                time.perf_counter() - begin,
                received=body.held,
                sent=_length(answer),
                address=self._askers.address(request),
            )
        return answer

    async def _handled(self, request: web.BaseRequest, body: Body) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        headers = self.answers.headers if origin is None else {**self.answers.headers, **self._origins.headers(origin)}
        error = partial(self._error, request, headers)
        connection = _protocol(request)
        try:
            connection.patience = patience = _patience(request)
            with self._guest(request):
                return await self._answer(request, headers, body, patience)
        except web.RequestPayloadError as broken:
            return error(Failure(400, f"the body is broken: {broken}", str(uuid.uuid4())))
        except ConnectionError:
            raise  # the client is gone
        except Exception as fault:
            if isinstance(fault, NotWanted) and connection.transport is None:
                raise ConnectionResetError("nobody is left to be answered") from fault
            return error(failure(fault, asked_for(request)))
        finally:
            self._bodies.forget(body)
            connection.lose_patience()

    @contextmanager
    def _guest(self, request: web.BaseRequest) -> Iterator[None]:
        """Count a request for its client if the connection is a trusted proxy's; refuse it if the client has too many."""
        if not self._proxies.trusts(request.remote or ""):
            yield
            return
        try:
            with self._guests.one(self._askers.address(request)):
                yield
        except TooMany as error:
            raise Refusal(503, "Too many requests and websockets from this address; try again later.") from error

    async def _answer(
        self, request: web.BaseRequest, headers: Headers, body: Body, patience: Patience
    ) -> web.StreamResponse:
        raw_path, _, query_text = _target(request).partition("?")
        raw_path = raw_path.partition("#")[0]
        if request.method == "OPTIONS":
            about = {"Allow": allowed(raw_path), **self._origins.preflight(request.headers.get("Origin"))}
            return web.Response(headers={**headers, **about})
        if raw_path == HEALTH:
            return self._healthy(headers)
        if self.connections.stopping:
            raise ClosedError("the server is stopping")
        goal = route(request.method, raw_path, query_text)
        if isinstance(goal, Redirect):
            return web.Response(status=301, headers={**headers, "Location": goal.location})
        # most requests have no query, and parsing it takes some microseconds
        query = request.rel_url.query if query_text else None
        credentials = self._askers.credentials(request, query.get("apikey") if query else None)
        if goal.does == "listen":
            return await self._listen(request, headers, goal, credentials, patience)
        if request.can_read_body:
            credentials = await self._receive(request, body, goal, credentials, patience)
        asked = self._asked(request, goal, query, body)
        spent = Spent()
        encoding = self._encoding(request) if goal.does == "read" else None
        pack = partial(self._pack, encoding) if encoding else None
        reply = await self._service.answer(goal, credentials, asked, patience=patience, spent=spent, pack=pack)
        cookie = self._askers.session(request, reply.session, changed=goal.does == "write") if reply.session else ""
        varies = encoding is not None and self._is_large(reply)
        timing = spent.header(reply.points)
        if headers is self.answers.headers and not (varies or cookie) and fits(request, reply):
            return self.answers.whole(request, reply, timing)
        about = head(headers, reply, varies=varies, timing=timing, cookie=cookie)
        return await send(request, self._service, reply, about, patience, asked_for(request))

    def _asked(self, request: web.BaseRequest, goal: Route, query: MultiMapping[str] | None, body: Body) -> Request:
        keys = request.headers.getall(IDEMPOTENCY_KEY, ())
        return self._service.request(
            names=goal.names,
            restamp=goal.restamp,
            query={name: query[name] for name in query} if query else {},
            q=tuple(query.getall("q", ()))[:1] if query else (),
            body=body.content,
            key=", ".join(keys) if keys else None,  # several keys become one that is invalid, and so is refused
            columns=COLUMNS in request.headers.get("Accept", ""),
            address=self._askers.address(request),
            site=self._askers.site(request) if goal.tells_site else "",
        )

    async def _receive(
        self, request: web.BaseRequest, body: Body, goal: Route, credentials: Credentials, patience: Patience
    ) -> Credentials:
        """Receive a request's body; return the credentials, confirmed if the body is long."""
        if goal.does != "tell" and credentials is not None and self._bodies.is_long(request):
            # confirmed first, so that nobody can make the server hold megabytes with a made-up login
            credentials = Known(await self._service.caller(credentials, patience, self._askers.address(request)))
        await patience.attend(self._bodies.receive(request, body, credentials in _STRANGERS))
        _protocol(request).begin(Phase.WORKING)
        return credentials

    async def _listen(
        self, request: web.BaseRequest, headers: Headers, goal: Route, credentials: Credentials, patience: Patience
    ) -> web.StreamResponse:
        if request.method == "HEAD" or "websocket" not in request.headers.get("Upgrade", "").lower():
            goal.handler()
        if request.headers.get("Sec-WebSocket-Version") != "13":
            raise Refusal(400, "this is no websocket of version 13", {"Sec-WebSocket-Version": "13"})
        caller = await self._service.caller(credentials, patience, self._askers.address(request))
        if self.connections.stopping:
            raise ClosedError("the server is stopping")
        websocket = Websocket(self._service, caller, self._config.websocket)
        _protocol(request).begin(Phase.OPEN)
        self._websockets.add(websocket)
        try:
            return await websocket.run(request, dict(headers))
        finally:
            self._websockets.discard(websocket)

    def _healthy(self, headers: Headers) -> web.Response:
        why = self.why_not()
        if why:
            return self.answers.error(503, f"not ready: {why}", headers=headers)
        about = {**headers, "Content-Type": Kind.JSON.value, **NOT_CACHED}
        return web.Response(body=b'{"status":"ready"}', headers=about)

    # --- answers ---

    def _encoding(self, request: web.BaseRequest) -> str | None:
        """
        Return how to compress the answer if it is large: empty if the client accepts no encoding that we have.

        `None` if it is not compressed whatever the client accepts.
        """
        settings = self._config.compression
        if not settings.least_bytes or request.method == "HEAD":
            return None
        if not settings.loopback and self._askers.is_near(request):
            return None
        return choose(request.headers.get("Accept-Encoding", ""))

    def _is_large(self, reply: Reply) -> bool:
        return bool(reply.encoding) or reply.rest is not None or len(reply.body) >= self._config.compression.least_bytes

    def _pack(self, encoding: str, reply: Reply) -> Reply:
        return compressed(reply, encoding) if self._is_large(reply) else reply

    def _error(self, request: web.BaseRequest, headers: Headers, told: Failure) -> web.Response:
        details = {
            "ref": told.ref,
            "status": told.status,
            "method": request.method,
            "address": self._askers.address(request),
            "path": request.raw_path.partition("?")[0],
        }
        # a message about a malformed body quotes values from it, which should not be in a log; only the client gets them
        shown = told.message if told.status != HTTPStatus.BAD_REQUEST else "malformed"
        log.info("%s: %s %r (ref %s)", asked_for(request), told.status, shown, told.ref, extra=details)
        if shown != told.message:
            log.debug("ref %s: %s", told.ref, told.message)
        return self.answers.error(told.status, told.message, told.ref, headers, told.headers)


def _patience(request: web.BaseRequest) -> Patience:
    """Return how long the answer to a request is wanted, as its header says."""
    try:
        return Patience(read_timeout(request.headers.get(TIMEOUT)))
    except ValueError as error:
        raise Refusal(400, f"{TIMEOUT} is a number of seconds above 0: {error}") from error


def _target(request: web.BaseRequest) -> str:
    """Return the path and the query as they came, without the server that a client may put before them (RFC 9112, 3.2.2)."""
    target = request.raw_path
    if target[:7].lower() in ("http://", "https:/"):
        return f"/{target.partition('://')[2].partition('/')[2]}"
    return target


def _length(answer: web.StreamResponse) -> int:
    """Return the bytes of an answer's body, sent or to be sent."""
    if isinstance(answer, web.Response):
        return len(answer.body) if isinstance(answer.body, bytes) else 0
    return answer.body_length if answer.prepared and answer.status != HTTPStatus.SWITCHING_PROTOCOLS else 0


def _protocol(request: web.BaseRequest) -> Connection:
    """Return the connection that a request came by."""
    assert isinstance(request.protocol, Connection)
    return request.protocol
