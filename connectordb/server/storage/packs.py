"""
Packs: closed chunks compressed together, because the few points of a single chunk do not compress well. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from .chunks import Chunk, join

try:
    # the same format as zlib's in half the time, where there are wheels for it; each reads what the other has written
    from isal import isal_zlib as codec
except ImportError:
    import zlib as codec  # type: ignore[no-redef]

_ERROR: Any = codec.error

#: Chunks are packed once they have so many points, or so many bytes of text.
PACK_POINTS = 1000
PACK_BYTES = 64 * 1024

#: The fastest level: higher ones take 4 to 15 times as long to save an eighth.
_LEVEL = 1

#: An entry for each chunk in a pack: how many points, how many bytes of text, the last time. Before the entries stands their number.
_ENTRY = struct.Struct("<IId")
_COUNT = struct.Struct("<H")


def regroup(chunks: Sequence[Chunk]) -> tuple[list[list[Chunk]], list[Chunk]]:
    """Return closed, consecutive *chunks* as groups that are large enough to be packed, and the chunks that are left over."""
    groups: list[list[Chunk]] = []
    group: list[Chunk] = []
    points = size = 0
    for chunk in chunks:
        group.append(chunk)
        points += chunk.number
        size += len(chunk.text)
        if points >= PACK_POINTS or size >= PACK_BYTES:
            groups.append(group)
            group, points, size = [], 0, 0
    return groups, group


def pack(group: Sequence[Chunk]) -> bytes:
    """
    Return consecutive chunks compressed as one.

    A table of the chunks stands before the compressed text, so that points are found without decompressing all of it.
    """
    table = [_ENTRY.pack(chunk.number, len(chunk.text), chunk.last_time) for chunk in group]
    return b"".join([_COUNT.pack(len(group)), *table, codec.compress(join(group).text, _LEVEL)])


def unpack(data: bytes, number: int, first: int, last: int) -> tuple[int, int, bytes]:
    """
    Return those chunks in a pack of *number* points that hold the points from *first* to before *last*.

    Returns:
        How many points come before them in the pack, how many points they have, and their text.

    Raises:
        ValueError: The pack is damaged.
    """
    table, body = _table(data, number)
    if first <= 0 and last >= number:
        return 0, number, _whole(body)
    before = found = skipped = size = 0
    for points, length, _ in table:
        if not found and before + points <= first:
            before += points
            skipped += length + 1
        elif before + found < last:
            found += points
            size += length + 1
    return before, found, _part(body, skipped, size - 1)


def unpack_at(data: bytes, number: int, t: float) -> tuple[int, int, bytes]:
    """Return, as `unpack` does, the chunk in a pack that has the first point later than *t*; there is one."""
    table, _ = _table(data, number)
    before = 0
    for points, _length, last_time in table:
        if last_time > t:
            break
        before += points
    return unpack(data, number, before, before + 1)


def parts(data: bytes, number: int) -> list[tuple[int, bytes, float]]:
    """
    Return all chunks in a pack of *number* points: for each, how many points it has, their text, and the last time.

    Raises:
        ValueError: The pack is damaged.
    """
    table, body = _table(data, number)
    text = _whole(body)
    if (size := sum(length + 1 for _, length, _ in table) - 1) != len(text):
        raise ValueError(f"{len(text)} bytes of text where {size} should be")
    found = []
    at = 0
    for points, length, last_time in table:
        found.append((points, text[at : at + length], last_time))
        at += length + 1
    return found


def readable(data: bytes, number: int) -> list[tuple[int, bytes, float]]:
    """
    Return those chunks of a damaged pack that come before the damage, in the form of `parts`.

    The pack's checksum is wrong, so even a text that looks right may be damaged. Stop at the first chunk that looks wrong.
    """
    try:
        table, body = _table(data, number)
    except ValueError:
        return []
    stream, text = codec.decompressobj(), bytearray()
    try:
        # in small pieces, to keep what was decompressed before the damage
        for start in range(0, len(body), 64):
            text += stream.decompress(body[start : start + 64])
    except _ERROR:
        pass
    found = []
    at = 0
    for points, length, last_time in table:
        if at + length > len(text):
            break
        found.append((points, bytes(text[at : at + length]), last_time))
        at += length + 1
    return found


def _table(data: bytes, number: int) -> tuple[list[tuple[int, int, float]], memoryview]:
    try:
        (count,) = _COUNT.unpack_from(data)
        end = _COUNT.size + count * _ENTRY.size
        table = list(_ENTRY.iter_unpack(data[_COUNT.size : end]))
    except struct.error as error:
        raise ValueError(f"no table before it: {error}") from error
    if (total := sum(points for points, _, _ in table)) != number:
        raise ValueError(f"{total} points where {number} should be")
    return table, memoryview(data)[end:]


def _whole(body: memoryview) -> bytes:
    try:
        return codec.decompress(body)
    except _ERROR as error:
        raise ValueError(str(error)) from error


def _part(body: memoryview, skipped: int, size: int) -> bytes:
    try:
        text = codec.decompressobj().decompress(body, skipped + size)[skipped:]
    except _ERROR as error:
        raise ValueError(str(error)) from error
    if len(text) != size:
        raise ValueError(f"{len(text)} bytes where {size} should be")
    return text
