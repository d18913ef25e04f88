"""Answers as HTTP: the headers that all have, the body of an error, and replies of handlers, short and long."""

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

#: Seconds after which somebody who was refused for want of room or time may come again.
_RETRY_AFTER = "2"

#: What forbids to keep an answer.
NOT_CACHED = {"Cache-Control": "no-store, must-revalidate"}

Headers = Mapping[str, str]


class Answers:
    """
    Makes answers.

    Args:
        features: What every answer announces.

    Attributes:
        headers: What every answer has.
    """

    def __init__(self, features: Features) -> None:
        self.headers: Headers = {
            "Server": "ConnectorDB",  # and not which versions of what it is made of
            "X-Frame-Options": "deny",
            "X-XSS-Protection": "1; mode=block",
            "X-Content-Type-Options": "nosniff",
            HEADER: str(features),
        }
        self._heads = Heads(self.headers, NOT_CACHED)

    def whole(self, request: web.BaseRequest, reply: Reply, timing: str) -> web.StreamResponse:
        """Return the answer to a request whose reply `fits`, with no headers but those that every answer has."""
        return Whole(request, self._heads.head(reply, timing), reply.body)

    def error(
        self, status: int, message: str, ref: str = "", headers: Headers | None = None, about: Headers | None = None
    ) -> web.Response:
        """
        Return an answer with the error body.

        Args:
            status: The HTTP status.
            message: What clients are told.
            ref: What the log says, too; made up if it is empty.
            headers: Instead of those that every answer has.
            about: Headers of this error.
        """
        ref = ref or str(uuid.uuid4())
        body = json_text.dumps({"code": status, "msg": message.encode(errors="replace").decode(), "ref": ref})
        all_headers = {**(headers or self.headers), **NOT_CACHED, "Content-Type": Kind.JSON.value}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            all_headers["Retry-After"] = _RETRY_AFTER
        return web.Response(status=status, body=body, headers={**all_headers, **(about or {})})

    def raw(self, status: int, message: str, ref: str) -> bytes:
        """Return a whole answer with the error body, for a connection that is then closed."""
        answer = self.error(status, message, ref, about={"Connection": "close"})
        body = answer.body
        assert isinstance(body, bytes)
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{key}: {value}" for key, value in answer.headers.items()),
        ]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def farewell(self, message: str, ref: str) -> bytes:
        """Return the answer to who comes when there is no room."""
        return self.raw(503, message, ref)


def head(headers: Headers, reply: Reply, *, varies: bool, timing: str, cookie: str) -> dict[str, str]:
    """
    Return the headers of a reply.

    Args:
        headers: Those that it has anyway.
        reply: What is answered.
        varies: Whether it would have been another one without ``Accept-Encoding``.
        timing: What it took.
        cookie: What is told to the browser's memory, if anything.
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
    """Answer a request with a reply; a long one is made and sent piece by piece. The log calls the request *asked*."""
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
        # The status is sent; only a connection that ends too early still tells the client.
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
            coming.exception()  # of a piece that nobody takes any more
    return response
