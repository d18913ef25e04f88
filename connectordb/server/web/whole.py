"""
Short answers, sent as bytes: most have the same few headers, and building these anew for each would take longer than all the rest
that aiohttp does for an answer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import web
from aiohttp.http import HttpVersion11

from ..handlers import Reply


class Whole(web.StreamResponse):
    """
    An answer with status 200 that is sent in one piece. The connection stays open unless ``force_close`` is called.

    Args:
        request: The request.
        head: The status line and the headers, without the empty line after them.
        body: The body.
    """

    def __init__(self, request: web.BaseRequest, head: bytes, body: bytes) -> None:
        super().__init__()
        self._keep_alive = True
        self._asked = request
        self._head = head
        self._content = body

    @property
    def body_length(self) -> int:
        """How many bytes the body has."""
        return len(self._content)

    @property
    def prepared(self) -> bool:
        """Whether nothing can be changed any more, which is always so."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing: `write_eof` sends everything."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the answer."""
        transport = self._asked.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        closing = b"" if self._keep_alive else b"\r\nConnection: close"
        transport.write(b"%b%b\r\n\r\n%b" % (self._head, closing, self._content))


class Heads:
    """
    Makes the heads of short answers: the status line and the headers.

    Args:
        headers: The headers that every answer has.
        not_cached: The headers of answers that caches may not keep.
    """

    def __init__(self, headers: Mapping[str, str], not_cached: Mapping[str, str]) -> None:
        first = _lines(headers)
        self._first = f"HTTP/1.1 200 OK\r\n{first}Content-Type: "
        self._not_cached = _lines(not_cached)

    def head(self, reply: Reply, timing: str) -> bytes:
        """Return the head of a reply that has no headers of its own."""
        about = "" if reply.cacheable else self._not_cached
        return (
            f"{self._first}{reply.kind.value}\r\nServer-Timing: {timing}\r\n{about}"
            f"Content-Length: {len(reply.body)}\r\nDate: {_date(int(time.time()))}"
        ).encode()


def fits(request: web.BaseRequest, reply: Reply) -> bool:
    """Tell whether a reply can be sent as a `Whole` answer: nothing about it or the request is out of the ordinary."""
    return (
        reply.rest is None
        and not reply.encoding
        and not reply.location
        and request.version == HttpVersion11
        and request.keep_alive
        and request.method != "HEAD"
    )


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
