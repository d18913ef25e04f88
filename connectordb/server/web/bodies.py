"""The bodies of requests: received whole, but limited in size and time, and in size all together."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ..config import Limits
from ..handlers import Refusal

#: The part of the room for all bodies that clients who are not logged in may take, so that they cannot shut out everybody else.
_STRANGERS = 1 / 8


class Body:
    """
    The body of one request.

    Attributes:
        content: The body, once `Bodies.receive` is done.
        held: Bytes of it that are in memory.
        anonymous: Whether the sender is not logged in.
    """

    __slots__ = ("anonymous", "content", "held")

    def __init__(self) -> None:
        self.content = b""
        self.held = 0
        self.anonymous = False


class Bodies:
    """Counts the bodies of all requests under way. Used on the event loop's thread only."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        #: Bytes in memory for all bodies, and for those from clients who are not logged in.
        self._held = 0
        self._strangers = 0

    def is_long(self, request: web.BaseRequest) -> bool:
        """Tell whether the body of a request is so long that its sender's login should be checked before it is received."""
        length = request.content_length
        return length is None or length > self._limits.unknown_bytes

    async def receive(self, request: web.BaseRequest, body: Body, anonymous: bool) -> None:
        """
        Receive the body of a request that has one.

        Args:
            request: The request.
            body: Where it goes; call `forget` for it in the end.
            anonymous: Whether the sender is not logged in.

        Raises:
            Refusal: It is too long, takes too long, or too much is being received at once.
        """
        most = self._limits.body_bytes
        body.anonymous = anonymous
        if anonymous:
            most = min(most, self._limits.anonymous_bytes)
        if (request.content_length or 0) > most:
            raise _too_long(most)
        if request.content.is_eof():
            # it came together with the headers, as short ones do, so there is no need for a task that waits
            body.content = self._count(body, request.content.read_nowait(), most)
            return
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # else it would seem that the answer has begun
        seconds = self._limits.body_seconds
        try:
            body.content = await asyncio.wait_for(self._read(request, body, most), seconds)
        except asyncio.TimeoutError as error:
            raise Refusal(400, f"the body did not arrive within {seconds:g} s") from error

    async def _read(self, request: web.BaseRequest, body: Body, most: int) -> bytes:
        parts: list[bytes] = []
        while part := await request.content.readany():
            parts.append(self._count(body, part, most))
        return b"".join(parts)

    def _count(self, body: Body, part: bytes, most: int) -> bytes:
        """Count a part of a body, and return it; refuse it if it is too much."""
        self._hold(body, len(part))
        if body.held > most:
            raise _too_long(most)
        room = self._limits.bodies_bytes
        if self._held > room or (body.anonymous and self._strangers > room * _STRANGERS):
            raise Refusal(503, "Too much is being sent to the server at once; try again later.")
        return part

    def _hold(self, body: Body, size: int) -> None:
        body.held += size
        self._held += size
        if body.anonymous:
            self._strangers += size

    def forget(self, body: Body) -> None:
        """Count a body no more: its request has been answered."""
        held = body.held
        self._hold(body, -held)
        body.held = held  # still read by the observer, which counts the bytes received


def _too_long(most: int) -> Refusal:
    shown = f"{most // 2**20} MiB" if most >= 2**20 else f"{most} bytes"
    return Refusal(413, f"the body is longer than {shown}; send the points in smaller pieces")
