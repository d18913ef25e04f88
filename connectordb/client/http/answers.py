"""
Reads the body of an answer: all of it, decompressed and limited in size, or piece by piece.

A compressed body has to be complete; otherwise one that a proxy has cut off would look like a shorter answer.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ...exceptions import RemoteProtocolError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse


class Damaged(Exception):
    """An answer did not arrive as it was sent."""


#: The most bytes of an answer, decompressed; without a limit, a server that sends without end would fill the memory.
LIMIT = 1024 * 1024 * 1024

#: The encodings that are asked for.
ACCEPTED = "gzip, deflate"

#: The same for an answer that is read in pieces.
ACCEPTED_IN_PIECES = "gzip"

_CHUNK = 256 * 1024

#: The ``wbits`` with which zlib reads gzip and its own format, whichever the data begin with.
_GZIP = 47


def content(raw: BaseHTTPResponse, limit: int = LIMIT) -> bytes:
    """
    Read the body of an answer.

    Args:
        raw: The answer, after its head was read.
        limit: The most bytes that it may have.

    Raises:
        RemoteProtocolError: It is longer.
        Damaged: It is compressed, and was cut off or damaged.
    """
    packed = _whole(raw, limit)
    encoding = raw.headers.get("Content-Encoding")
    if encoding is None or not packed:
        return packed
    names = [name.strip().lower() for name in encoding.split(",")]
    for name in reversed(names):
        if name in ("gzip", "x-gzip", "deflate"):
            packed = _unpacked(packed, name, limit)
        elif name not in ("", "identity"):
            return packed  # an encoding that nobody asked for: reading the answer as JSON will fail, and say so
    return packed


def pieces(raw: BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the body of an answer as it comes, still compressed."""
    return raw.stream(_CHUNK, decode_content=False)


def unpacked(packed: Iterable[bytes], encoding: Callable[[], str]) -> Iterator[bytes]:
    """
    Decompress a body piece by piece.

    Args:
        packed: The pieces, which may be cut anywhere.
        encoding: Returns the answer's ``Content-Encoding``, ``"gzip"`` or nothing; called only after the first piece came.

    Raises:
        Damaged: They are compressed in another way, or were cut off or damaged.
    """
    unpacker = zlib.decompressobj(_GZIP)
    for piece in packed:
        if encoding() in ("", "identity"):
            yield piece
            continue
        while piece:
            try:
                yield unpacker.decompress(piece, _CHUNK)
            except zlib.error as error:
                raise _cannot_be_unpacked(encoding(), error) from error
            piece = unpacker.unconsumed_tail
    if encoding() not in ("", "identity") and not unpacker.eof:
        raise _cut(encoding())


def _whole(raw: BaseHTTPResponse, limit: int) -> bytes:
    """Return the body, still compressed."""
    promised = raw.length_remaining
    if promised is not None:
        if promised > limit:
            raise RemoteProtocolError(f"the answer has {promised:,} bytes, and more than {limit:,} are not taken")
        return raw.read(decode_content=False)
    chunks, length = [], 0
    for chunk in raw.stream(_CHUNK, decode_content=False):
        length += len(chunk)
        if length > limit:
            raise RemoteProtocolError(f"the answer has no end: more than {limit:,} bytes are not taken")
        chunks.append(chunk)
    return b"".join(chunks)


def _unpacked(packed: bytes, name: str, limit: int) -> bytes:
    """Decompress gzip or deflate."""
    # -15 is deflate without zlib's header, which is what some servers send as "deflate"
    for bits in (_GZIP, -15) if name == "deflate" else (_GZIP,):
        unpacker = zlib.decompressobj(bits)
        try:
            unpacked = unpacker.decompress(packed, limit + 1)
        except zlib.error as error:
            damage = error
            continue
        if len(unpacked) > limit:
            raise RemoteProtocolError(f"the answer unpacks to more than {limit:,} bytes, which are not taken")
        if not unpacker.eof:
            raise _cut(name)
        return unpacked
    raise _cannot_be_unpacked(name, damage)


def _cut(name: str) -> Damaged:
    return Damaged(f"the answer is packed with {name}, and was cut on its way")


def _cannot_be_unpacked(name: str, error: zlib.error) -> Damaged:
    return Damaged(f"the answer is said to be packed with {name}, and cannot be unpacked: {error}")
