"""HTTP answers: the headers that all of them have, the body of an error, and the replies of handlers, short and long."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from ...exceptions import ConnectorDBError
from ...protocol import json_text
from ...protocol.features import HEADER, Features
from ..handlers import Kind, Reply
from ..handlers.stretches import WentAway
from ..patience import NotWanted, Patience
from ..server_timing import HEADER as SERVER_TIMING
from ..service import Service
from .whole import Heads, Whole

log = logging.getLogger(__name__)

#: ``Retry-After``, in seconds, for a client that was refused for lack of room or time.
_RETRY_AFTER = "2"

#: The header that forbids caches to keep an answer.
NOT_CACHED = {"Cache-Control": "no-store, must-revalidate"}

Headers = Mapping[str, str]


class Answers:
    """
    Makes answers.

    Args:
        features: What every answer announces.

    Attributes:
        headers: The headers that every answer has.
    """

    def __init__(self, features: Features) -> None:
        self.headers: Headers = {
            "Server": "ConnectorDB",  # without any versions
            "X-Frame-Options": "deny",
            "X-XSS-Protection": "1; mode=block",
            "X-Content-Type-Options": "nosniff",
            HEADER: str(features),
        }
        self._heads = Heads(self.headers, NOT_CACHED)

    def whole(self, request: web.BaseRequest, reply: Reply, timing: str) -> web.StreamResponse:
        """Return the answer to a request whose reply `fits`, with only the headers that every answer has."""
        return Whole(request, self._heads.head(reply, timing), reply.body)

    def error(
        self, status: int, message: str, ref: str = "", headers: Headers | None = None, about: Headers | None = None
    ) -> web.Response:
        """
        Return an answer with the error body.

        Args:
            status: The HTTP status.
            message: What the client is told.
            ref: The reference under which the log has it; a new one if empty.
            headers: Headers to use instead of those that every answer has.
            about: More headers, of this error.
        """
        ref = ref or str(uuid.uuid4())
        body = json_text.dumps({"code": status, "msg": message.encode(errors="replace").decode(), "ref": ref})
        all_headers = {**(headers or self.headers), **NOT_CACHED, "Content-Type": Kind.JSON.value}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            all_headers["Retry-After"] = _RETRY_AFTER
        return web.Response(status=status, body=body, headers={**all_headers, **(about or {})})

    def raw(self, status: int, message: str, ref: str) -> bytes:
        """Return an answer with the error body as bytes, for a connection that is closed after it."""
        answer = self.error(status, message, ref, about={"Connection": "close"})
        body = answer.body
        assert isinstance(body, bytes)
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{key}: {value}" for key, value in answer.headers.items()),
        ]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def farewell(self, message: str, ref: str) -> bytes:
        """Return the answer to a client that comes when there is no room."""
        return self.raw(503, message, ref)


def head(headers: Headers, reply: Reply, *, varies: bool, timing: str, cookie: str) -> dict[str, str]:
    """
    Return the headers of a reply.

    Args:
        headers: The headers that every answer has.
        reply: The reply.
        varies: Whether the answer depends on ``Accept-Encoding``.
        timing: The text for ``Server-Timing``.
        cookie: The text for ``Set-Cookie``, if any.
    """
    about = {**headers, "Content-Type": reply.kind.value, SERVER_TIMING: timing}
    if not reply.cacheable:
        about.update(NOT_CACHED)
    if varies:
        about["Vary"] = f"{about['Vary']}, Accept-Encoding" if "Vary" in about else "Accept-Encoding"
    if reply.encoding:
        about["Content-Encoding"] = reply.encoding
    if reply.location:
        about["Location"] = reply.location
    if cookie:
        about["Set-Cookie"] = cookie
    return about


async def send(
    request: web.BaseRequest, service: Service, reply: Reply, about: Headers, patience: Patience, asked: str
) -> web.StreamResponse:
    """Send a reply, a long one piece by piece as it is made; *asked* is what the log calls the request."""
    if reply.rest is None:
        return web.Response(status=302 if reply.location else 200, body=reply.body, headers=about)
    response = web.StreamResponse(headers=about)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    # the next piece is made while this one is sent
    coming = asyncio.ensure_future(service.page(reply.rest, patience))
    try:
        await response.write(reply.body)
        while (piece := await coming) is not None:
            coming = asyncio.ensure_future(service.page(reply.rest, patience))
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        raise
    except Exception as error:
        # the status has been sent: only by cutting the connection can the client still be told
        expected = isinstance(error, ConnectorDBError)
        level = logging.INFO if isinstance(error, (WentAway, NotWanted)) else logging.ERROR
        log.log(level, "the answer to %s was broken off: %s", asked, error, exc_info=not expected)
        if request.transport is not None:
            request.transport.abort()
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait([coming])
        elif not coming.cancelled():
            coming.exception()  # retrieved, so that asyncio does not complain about a piece that nobody wants any more
    return response
