"""
What subscribers are told about an insert, as whole websocket frames: made once, however many subscribers there are.

Subscribers as in 0.3 get the points as they were sent. Those with an id get them as they were stored, in the storage's own text,
together with the index of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ...protocol import json_text
from ...protocol.points import Datapoint, times_of
from ..handlers import Published
from ..storage import encode

_TEXT = 0x81  # the first byte of a frame that is a whole text message


def frame(text: bytes) -> bytes:
    """Return a text as a websocket frame of a server (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return bytes((_TEXT, size)) + text
    if size < 1 << 16:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + text


class News:
    """
    An insert that subscribers are told of.

    Attributes:
        path: The path that was written to.
        number: How many points were inserted.
        first: The index of the first point; `None` if they were not stored.
    """

    def __init__(self, published: Published) -> None:
        self._published = published
        self.path = published.path
        self.number = len(published.points)
        self.first = published.stored.first if published.stored else None

    @property
    def points(self) -> Sequence[Datapoint]:
        """The points as they were sent, but with times of 0 replaced."""
        return self._published.points

    @cached_property
    def size(self) -> int:
        """How many bytes the points take as text."""
        stored = self._published.stored
        return len(stored.text if stored is not None else self.plain)

    @cached_property
    def stored_points(self) -> list[Datapoint]:
        """The points as they were stored, or as they were sent if they were not. Decoding them takes time."""
        stored = self._published.stored
        points: list[Datapoint] = list(self.points) if stored is None else json_text.loads(b"[%b]" % stored.text)
        return points

    def told(self, data: bytes, transform: str, *, indexed: bool) -> bytes:
        """Return the frame for a subscription with a transform; *data* is the text of the points that it yielded."""
        head = json_text.dumps({"stream": self.path, "transform": transform})[:-1]
        index = b',"index":%d' % self.first if indexed and self.first is not None else b""
        return frame(b'%b%b,"data":[%b]}\n' % (head, index, data))

    @cached_property
    def plain(self) -> bytes:
        """The frame for subscriptions as in 0.3."""
        points, stored = self._published.points, self._published.stored
        times = list(map(float, times_of(points)))
        text = stored.text if stored is not None and stored.times == times else encode(points, times)
        return frame(b'{"stream":%b,"data":[%b]}\n' % (json_text.dumps(self.path), text))

    @cached_property
    def indexed(self) -> bytes:
        """The frame for subscriptions with an id: with the index and the points as stored, if they were stored."""
        stored = self._published.stored
        if stored is None:
            return self.plain
        return frame(
            b'{"stream":%b,"index":%d,"data":[%b]}\n' % (json_text.dumps(self.path), stored.first, stored.text)
        )
