"""
Compressed answers: the choice of an encoding, and the compression, piece by piece on the threads that read the storage. Pure.

How much it gains is in ``docs/topics/beyond_0_3.rst``.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from ..handlers import Fetch, Pages, Reply

#: The fastest level. The default level, 6, makes points a sixth smaller still, but takes ten times as long.
_LEVEL = 1

#: For each encoding the window bits by which `zlib` chooses the format. HTTP's "deflate" is the zlib format.
_FORMATS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def choose(accepted: str) -> str:
    """Return the encoding that we have and an ``Accept-Encoding`` header prefers; empty if it allows none of ours."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        weights[name.strip()] = _weight(parameters)
    best = max(_FORMATS, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    return best if weights.get(best, weights.get("*", 0.0)) > 0 else ""


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def compressed(reply: Reply, encoding: str) -> Reply:
    """Return a reply compressed. Each page of a long one takes about a millisecond."""
    packer = zlib.compressobj(_LEVEL, wbits=_FORMATS[encoding])
    body = packer.compress(reply.body)
    if reply.rest is None:
        return reply._replace(body=body + packer.flush(), encoding=encoding)
    return reply._replace(
        body=body + packer.flush(zlib.Z_SYNC_FLUSH), rest=_Packed(reply.rest, packer), encoding=encoding
    )


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int = ..., /) -> bytes: ...


class _Packed(Pages):
    """The rest of a long answer, compressed page by page so that each can be sent."""

    def __init__(self, pages: Pages, packer: _Packer) -> None:
        self.computed = pages.computed
        self._pages = pages
        self._packer: _Packer | None = packer

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next piece."""
        if self._packer is None:
            return None
        piece = self._pages.next(fetch)
        if piece is None:
            end = self._packer.flush(zlib.Z_FINISH)
            self._packer = None
            return end
        return self._packer.compress(piece) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def drop(self) -> None:
        """Drop the pages that are compressed."""
        self._pages.drop()
