"""
SQLite's write-ahead log, read without SQLite: SQLite itself uses only what comes before the first damage.

The file format (https://www.sqlite.org/fileformat2.html, "The Write-Ahead Log") is a header, then frames, each of which is a page of
the database with a header of its own. The frame that ends a transaction says so. Frames without the header's salts are left over
from an earlier round. Each frame's checksum continues that of the frame before.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import FileIO

_HEADER, _FRAME = 32, 24

#: The first word of a log → the byte order of the words in its checksums.
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


@dataclass(frozen=True, slots=True)
class Frame:
    """
    What the header of a frame says.

    Attributes:
        number: The number of the frame, from 1 on.
        page: The page whose content it has.
        ends: Whether it is the last frame of a transaction.
        at: Where in the file it begins.
    """

    number: int
    page: int
    ends: bool
    at: int

    @property
    def content(self) -> int:
        """Where in the file the page's content begins."""
        return self.at + _FRAME


class Log:
    """
    The log of the database at *path*; an empty one if there is none.

    Args:
        path: The database.
        page_size: The size of its pages, in case the log's header is damaged.

    Attributes:
        page_size: The size of the pages, as the header says.
        is_headed: Whether the header is undamaged.

    Raises:
        OSError: The log cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], page_size: int = 4096) -> None:
        self.page_size = page_size
        self.is_headed = False
        self._file: FileIO | None = None
        self._salts, self._order, self._start = b"", "<", (0, 0)
        self._size = 0
        try:
            self._file = open(os.fspath(path) + "-wal", "rb", buffering=0)
        except FileNotFoundError:
            return
        self._size = os.fstat(self._file.fileno()).st_size
        header = self.read(_HEADER, 0)
        if len(header) < _HEADER:
            return
        magic, _, size = struct.unpack_from(">III", header)
        sums = struct.unpack_from(">II", header, 24)
        if magic in _MAGIC and _summed(header[:24], _MAGIC[magic], (0, 0)) == sums:
            self.is_headed = True
            self.page_size = size
            self._order, self._salts, self._start = _MAGIC[magic], header[16:24], sums
        else:  # make do with the salts of the first frame
            self._salts = self.read(8, _HEADER + 8)

    @property
    def salts(self) -> bytes:
        """The salts of all frames of this round; empty if there are no frames."""
        return self._salts

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def read(self, size: int, at: int) -> bytes:
        """Return *size* bytes at *at*, fewer at the end of the file."""
        if self._file is None:
            return b""
        self._file.seek(at)
        return self._file.read(size)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames of this round, by their headers, including those that come after damage."""
        step = _FRAME + self.page_size
        for number in range(1, (self._size - _HEADER) // step + 1 if self._salts else 1):
            at = _HEADER + (number - 1) * step
            head = self.read(16, at)
            if head[8:16] == self._salts:
                page, ends = struct.unpack_from(">II", head)
                yield Frame(number, page, ends != 0, at)

    def sound(self) -> Iterator[Frame]:
        """
        Yield the frames whose content is as it was written.

        Left out are frames whose checksum is wrong, and those whose checksum cannot be verified.
        """
        before, number = self._start, 0
        for frame in self.frames():
            whole = self.read(_FRAME + self.page_size, frame.at)
            if len(whole) < _FRAME + self.page_size:
                return
            sums = struct.unpack_from(">II", whole, 16)
            if frame.number == number + 1:  # otherwise it is not known which checksum its own continues
                orders = self._order if self.is_headed else "<>"
                if any(_summed(whole[_FRAME:], order, _summed(whole[:8], order, before)) == sums for order in orders):
                    yield frame
            before, number = sums, frame.number

    def committed(self) -> tuple[dict[int, int], bool]:
        """
        Return what the log adds to the file.

        Returns:
            Each page that a finished transaction has changed → where its newest undamaged content is; and whether SQLite
            would use all of that.
        """
        found: dict[int, int] = {}
        waiting: dict[int, int] = {}
        number = taken = 0
        for frame in self.sound():
            waiting[frame.page] = frame.content
            number += frame.number == number + 1
            if frame.ends:
                found.update(waiting)
                waiting.clear()
                taken = frame.number if frame.number == number else taken
        return found, self.is_headed and not goes_on_after(taken, self.frames()) if found else True


def goes_on_after(number: int, frames: Iterable[Frame]) -> bool:
    """
    Tell whether a log has more than the *number* frames that SQLite uses, beyond what a power cut may have torn.

    A transaction is flushed before the next one begins. So a power cut leaves at most one unfinished transaction at the end.
    """
    ended = False
    for frame in frames:
        if frame.number > number:
            if ended:
                return True
            ended = frame.ends
    return False


def _summed(data: bytes, order: str, start: tuple[int, int]) -> tuple[int, int]:
    """Return the checksum of *data*, which continues *start*."""
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = first + one + second & 0xFFFFFFFF
        second = second + other + first & 0xFFFFFFFF
    return first, second
