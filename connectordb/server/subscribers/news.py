"""
What subscribers are told of an insert, as the bytes of whole websocket frames: made once, however many are told.

Those who subscribed as in 0.3 get the points as they were sent; those who subscribed with an id get them as they were stored,
in the storage's own text, with the index of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ...protocol import json_text
from ...protocol.points import Datapoint, times_of
from ..handlers import Published
from ..storage import encode

_TEXT = 0x81  # a text, whole


def frame(text: bytes) -> bytes:
    """Return the websocket frame of a text, as a server sends it (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return bytes((_TEXT, size)) + text
    if size < 1 << 16:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + text


class News:
    """
    An insert, as it is told.

    Attributes:
        path: What was written.
        number: How many points.
        first: The index of the first; `None` if they were not stored.
    """

    def __init__(self, published: Published) -> None:
        self._published = published
        self.path = published.path
        self.number = len(published.points)
        self.first = published.stored.first if published.stored else None

    @property
    def points(self) -> Sequence[Datapoint]:
        """The points as they were sent, zero times filled in."""
        return self._published.points

    @cached_property
    def size(self) -> int:
        """How many bytes of text the points are."""
        stored = self._published.stored
        return len(stored.text if stored is not None else self.plain)

    @cached_property
    def stored_points(self) -> list[Datapoint]:
        """The points as they were stored, if they were; to be asked for on a thread that may take its time."""
        stored = self._published.stored
        points: list[Datapoint] = list(self.points) if stored is None else json_text.loads(b"[%b]" % stored.text)
        return points

    def told(self, data: bytes, transform: str, *, indexed: bool) -> bytes:
        """Return the frame for who subscribed with a transform: *data* is what became of the points."""
        head = json_text.dumps({"stream": self.path, "transform": transform})[:-1]
        index = b',"index":%d' % self.first if indexed and self.first is not None else b""
        return frame(b'%b%b,"data":[%b]}\n' % (head, index, data))

    @cached_property
    def plain(self) -> bytes:
        """The frame for who subscribed as in 0.3."""
        points, stored = self._published.points, self._published.stored
        times = list(map(float, times_of(points)))
        text = stored.text if stored is not None and stored.times == times else encode(points, times)
        return frame(b'{"stream":%b,"data":[%b]}\n' % (json_text.dumps(self.path), text))

    @cached_property
    def indexed(self) -> bytes:
        """The frame for who subscribed with an id: the index, and the points as they were stored, if they were."""
        stored = self._published.stored
        if stored is None:
            return self.plain
        return frame(
            b'{"stream":%b,"index":%d,"data":[%b]}\n' % (json_text.dumps(self.path), stored.first, stored.text)
        )
