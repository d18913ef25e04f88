"""
Short answers as bytes: most are the same few headers around a few bytes, and making them anew for each takes longer than the rest
of its way through aiohttp.
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
    An answer with status 200 that is sent in one piece, over a connection that stays open unless aiohttp is told otherwise.

    Args:
        request: What is answered.
        head: The status line and the headers, with no empty line behind them.
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
        """The bytes of the body."""
        return len(self._content)

    @property
    def prepared(self) -> bool:
        """Whether nothing can be changed any more: nothing ever could."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing: all is sent at the end."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Send it."""
        transport = self._asked.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        closing = b"" if self._keep_alive else b"\r\nConnection: close"
        transport.write(b"%b%b\r\n\r\n%b" % (self._head, closing, self._content))


class Heads:
    """
    The heads of short answers.

    Args:
        headers: Those that all have.
        not_cached: Those of answers that nobody may keep.
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
    """Tell whether the answer can be one that is sent whole: there is nothing about the request or the reply that is rare."""
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
