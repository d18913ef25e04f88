"""
What is left in a damaged file: the records in its pages, found without SQLite, which gives up at what it cannot follow.

Read as SQLite's file format has them (https://www.sqlite.org/fileformat2.html): each leaf of a table says how many records it has
and where, a long record goes on in other pages, and pages that the log has committed stand for those in the file. Nothing is
believed: what makes no sense is passed over. Pages that were given up hold old records, so one may be found that was changed or
deleted since.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from typing import Any

_LEAF = 13
_WAL_HEADER, _FRAME_HEADER = 32, 24

#: Bytes of the largest record that is believed in.
_MOST = 256 * 1024 * 1024

_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Nonsense(ValueError):
    """This is no record."""


@dataclass(frozen=True, slots=True)
class Remnant:
    """
    A record that was found.

    Attributes:
        id: Its key.
        values: Its columns; those that do not lie in its first page are left out.
        page: The page it is in.
        at: Where in that.
    """

    id: int
    values: list[Any]
    page: int
    at: int


class Remains:
    """
    The records in the file at *path*.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = open(path, "rb", buffering=0)
        self._log: FileIO | None = None
        head = _read(self._file, 100, 0)
        size = int.from_bytes(head[16:18], "big") if len(head) > 17 else 0
        size = 65536 if size == 1 else size
        self._size = size if size in {1 << power for power in range(9, 17)} else 4096
        self._usable = self._size - (head[20] if len(head) > 20 and head[20] < 64 else 0)
        #: Page → where it is in the log.
        self._logged: dict[int, int] = {}
        try:
            self._log = open(os.fspath(path) + "-wal", "rb", buffering=0)
        except FileNotFoundError:
            pass
        else:
            self._read_log(self._log)
        self.pages = os.fstat(self._file.fileno()).st_size // self._size

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._log is not None:
            self._log.close()

    def __enter__(self) -> Remains:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_log(self, log: FileIO) -> None:
        header = _read(log, _WAL_HEADER, 0)
        if len(header) < _WAL_HEADER or int.from_bytes(header[8:12], "big") != self._size:
            return
        salts, at = header[16:24], _WAL_HEADER
        waiting: dict[int, int] = {}
        while len(frame := _read(log, _FRAME_HEADER, at)) == _FRAME_HEADER and frame[8:16] == salts:
            page, committed = struct.unpack_from(">II", frame)
            waiting[page] = at + _FRAME_HEADER
            if committed:
                self._logged.update(waiting)
                waiting.clear()
            at += _FRAME_HEADER + self._size

    def _page(self, number: int) -> bytes:
        if self._log is not None and number in self._logged:
            return _read(self._log, self._size, self._logged[number])
        return _read(self._file, self._size, (number - 1) * self._size)

    def __iter__(self) -> Iterator[Remnant]:
        """Go through all records of all tables, page by page."""
        # a number in the log may be damaged: nothing is counted up to it
        for number in chain(range(1, self.pages + 1), sorted(page for page in self._logged if page > self.pages)):
            page = self._page(number)
            start = 100 if number == 1 else 0
            if len(page) < self._size or page[start] != _LEAF:
                continue
            count = int.from_bytes(page[start + 3 : start + 5], "big")
            for cell in range(min(count, self._size // 4)):
                where = start + 8 + 2 * cell
                try:
                    yield self._found(page, number, int.from_bytes(page[where : where + 2], "big"))
                except (Nonsense, IndexError, struct.error):
                    continue

    def _found(self, page: bytes, number: int, at: int) -> Remnant:
        length, at_id = _varint(page, at)
        id, start = _varint(page, at_id)
        local = self._local(length)
        return Remnant(_signed(id, 8), _columns(page[start : start + local], length), number, at)

    def _local(self, length: int) -> int:
        """Return how many bytes of a record of that length lie in its own page."""
        if length > _MOST:
            raise Nonsense
        usable = self._usable
        if length <= usable - 35:
            return length
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        return local if local <= usable - 35 else least

    def whole(self, remnant: Remnant) -> list[Any]:
        """
        Return all columns of a record.

        Raises:
            Nonsense: The pages in which it goes on are not there.
        """
        try:
            page = self._page(remnant.page)
            length, at = _varint(page, remnant.at)
            _, at = _varint(page, at)
            local = self._local(length)
            parts = [page[at : at + local]]
            left, next_page = length - local, int.from_bytes(page[at + local : at + local + 4], "big")
            while left > 0:
                if next_page == 0:
                    raise Nonsense
                page = self._page(next_page)
                parts.append(page[4 : 4 + min(left, self._usable - 4)])
                left -= len(parts[-1])
                next_page = int.from_bytes(page[:4], "big")
                if len(parts[-1]) == 0:
                    raise Nonsense
            return _columns(b"".join(parts), length)
        except (IndexError, struct.error) as error:
            raise Nonsense from error


def _read(file: FileIO, size: int, offset: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where the next thing is."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9


def _signed(value: int, size: int) -> int:
    return value - (1 << 8 * size) if value >> (8 * size - 1) else value


def _columns(data: bytes, length: int) -> list[Any]:
    """Return a record's columns, as many as are whole."""
    header, at = _varint(data, 0)
    if not at <= header <= len(data):
        raise Nonsense
    kinds = []
    while at < header:
        kind, at = _varint(data, at)
        kinds.append(kind)
    if header + sum(map(_width, kinds)) != length:
        raise Nonsense
    values: list[Any] = []
    at = header
    for kind in kinds:
        width = _width(kind)
        if at + width > len(data):
            break
        values.append(_value(kind, data[at : at + width]))
        at += width
    return values


def _width(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind in (10, 11):
        raise Nonsense
    return 8 if kind == 7 else _INTEGERS.get(kind, 0)


def _value(kind: int, data: bytes) -> Any:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind == 7:
        return struct.unpack(">d", data)[0]
    if kind < 7:
        return _signed(int.from_bytes(data, "big"), len(data))
    return data.decode(errors="replace") if kind & 1 else data
