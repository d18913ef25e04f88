"""
What is left in a damaged SQLite file: the records in its pages, found without SQLite, which gives up at damage that it cannot follow.

By SQLite's file format (https://www.sqlite.org/fileformat2.html), each leaf of a table says how many records it has and where,
a long record continues in other pages, and pages that the log has committed replace those in the file. Nothing is taken on
trust: what makes no sense is skipped, and what the disk cannot read counts as empty. Pages that are no longer used hold old records,
so records may be found that were changed or deleted since.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import FileIO
from itertools import chain
from typing import Any

from .sqlite_log import Log

#: Kinds of pages: inner pages, which lead to others, and leaves; of tables, and of indices or tables WITHOUT ROWID.
_INDEX_INNER, _INNER, _INDEX_LEAF, _LEAF = 2, 5, 10, 13

#: The first page begins with the header of the file.
_FILE_HEADER = 100

#: The sizes that pages may have.
_SIZES = {1 << power for power in range(9, 17)}

#: The most bytes that a record is believed to have.
_MOST = 256 * 1024 * 1024

_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Nonsense(ValueError):
    """This is not a record."""


@dataclass(frozen=True, slots=True)
class Remnant:
    """
    A record that was found.

    Attributes:
        id: Its key.
        values: Its columns, as far as they are in its first page.
        page: The page it is in.
        at: Where in that page.
        is_whole: Whether all columns are there.
        kind: The kind of that page.
    """

    id: int
    values: list[Any]
    page: int
    at: int
    is_whole: bool = False
    kind: int = _LEAF


class Remains:
    """
    The records in the file at *path*.

    Args:
        path: Where it is.
        usual: The size that its pages should have, if known, as the header may be damaged.

    Attributes:
        pages: How many pages the file has, without those that only its log has.
        log_is_whole: Whether SQLite would use everything that the log has.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], usual: int | None = None) -> None:
        self._file = open(path, "rb", buffering=0)
        try:
            length = os.fstat(self._file.fileno()).st_size
            self._head = _read(self._file, _FILE_HEADER, 0).ljust(_FILE_HEADER, b"\0")
            self._log = Log(path, self._likely_size(length, usual))
        except BaseException:
            self._file.close()
            raise
        self._size = self._log.page_size if self._log.is_headed else self._likely_size(length, usual)
        self._usable = self._size - (self._head[20] if self._head[20] < 64 else 0)
        #: Page → where it is in the log.
        self._logged, self.log_is_whole = self._log.committed()
        self.pages = length // self._size
        if 1 in self._logged:
            self._head = self._page(1)[:_FILE_HEADER]

    def _likely_size(self, length: int, usual: int | None) -> int:
        size, pages = struct.unpack_from(">H10xI", self._head, 16)
        size = 65536 if size == 1 else size
        if size not in _SIZES or (usual is not None and pages * size != length == pages * usual):
            return usual or 4096
        return size

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        self._log.close()

    def __enter__(self) -> Remains:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _page(self, number: int) -> bytes:
        try:
            if number in self._logged:
                return self._log.read(self._size, self._logged[number])
            return _read(self._file, self._size, (number - 1) * self._size)
        except OSError:  # a bad sector, as a rule
            return b""

    @property
    def application_id(self) -> int:
        """The application id in its header."""
        return int.from_bytes(self._head[68:72], "big")

    def application_ids(self) -> set[int]:
        """Return the application ids in its header, and in copies of the header in its log, even of unfinished transactions."""
        logged = [self._log.read(_FILE_HEADER, frame.content) for frame in self._log.frames() if frame.page == 1]
        return {int.from_bytes(header[68:72], "big") for header in (self._head, *logged)}

    def is_blank(self) -> bool:
        """Tell whether the file is all zeros, or a new one whose first page was not even written."""
        if self._logged:
            return False
        if not self.pages and self._head.startswith(b"SQLite format 3"):
            return True
        self._file.seek(0)
        while block := self._file.read(1 << 20):
            if any(block):
                return False
        return True

    def _numbers(self) -> Iterator[int]:
        # not a range up to the largest number in the log: that may be damaged, and huge
        return chain(range(1, self.pages + 1), sorted(page for page in self._logged if page > self.pages))

    def __iter__(self) -> Iterator[Remnant]:
        """Yield the records of all tables that have keys, page by page."""
        return self.records()

    def records(self, but: Container[int] = ()) -> Iterator[Remnant]:
        """Yield the records of all tables that have keys, page by page, except for the pages *but*."""
        return self._found_in(but, _LEAF)

    def entries(self, but: Container[int] = ()) -> Iterator[Remnant]:
        """Yield the records of indices, and of tables WITHOUT ROWID, in the same way; their key is 0."""
        return chain(self._found_in(but, _INDEX_LEAF), self._found_in(but, _INDEX_INNER))

    def _found_in(self, but: Container[int], kind: int) -> Iterator[Remnant]:
        for number in self._numbers():
            if number in but:
                continue
            page = self._page(number)
            start = _FILE_HEADER if number == 1 else 0
            if len(page) < self._size or page[start] != kind:
                continue
            for at in self._cells(page, start):
                try:
                    yield self._found(page, number, at, kind)
                except (Nonsense, IndexError, struct.error):
                    continue

    def _cells(self, page: bytes, start: int) -> Iterator[int]:
        """Yield where in a page its cells begin."""
        count = min(int.from_bytes(page[start + 3 : start + 5], "big"), self._size // 4)
        array = start + (8 if page[start] in (_LEAF, _INDEX_LEAF) else 12)
        for cell in range(count):
            yield int.from_bytes(page[array + 2 * cell : array + 2 * cell + 2], "big")

    def tree(self, root: int) -> set[int]:
        """Return the pages of the table with that *root* page, without those in which long records continue."""
        found: set[int] = set()
        ahead = [root]
        while ahead:
            number = ahead.pop()
            page = b"" if number in found else self._page(number)
            start = _FILE_HEADER if number == 1 else 0
            if len(page) < self._size:
                continue
            found.add(number)
            if page[start] in (_INNER, _INDEX_INNER):
                ahead.append(int.from_bytes(page[start + 8 : start + 12], "big"))
                ahead += [int.from_bytes(page[at : at + 4], "big") for at in self._cells(page, start)]
        return found

    def free(self) -> set[int]:
        """Return the free pages, by the file's list of them; none if that list is damaged."""
        trunk, count = struct.unpack_from(">II", self._head, 32)
        found: set[int] = set()
        while trunk:
            page = self._page(trunk)
            if trunk in found or len(page) < self._size or len(found) > count:
                return set()
            following, leaves = struct.unpack_from(">II", page)
            if leaves > self._size // 4 - 2:
                return set()
            found.add(trunk)
            found.update(struct.unpack_from(f">{leaves}I", page, 8))
            trunk = following
        return found if len(found) == count else set()

    def _found(self, page: bytes, number: int, at: int, kind: int) -> Remnant:
        start = at + 4 if kind == _INDEX_INNER else at
        length, start = _varint(page, start)
        id = 0
        if kind == _LEAF:
            id, start = _varint(page, start)
        local = self._local(length, kind)
        return Remnant(_signed(id, 8), _columns(page[start : start + local], length), number, at, local == length, kind)

    def _local(self, length: int, kind: int) -> int:
        """Return how many bytes of a record of that length are in its own page."""
        if length > _MOST:
            raise Nonsense
        usable = self._usable
        most = usable - 35 if kind == _LEAF else (usable - 12) * 64 // 255 - 23
        if length <= most:
            return length
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        return local if local <= most else least

    def whole(self, remnant: Remnant) -> list[Any]:
        """
        Return all columns of a record.

        Raises:
            Nonsense: The pages in which it continues are missing.
        """
        try:
            page = self._page(remnant.page)
            length, at = _varint(page, remnant.at + (4 if remnant.kind == _INDEX_INNER else 0))
            if remnant.kind == _LEAF:
                _, at = _varint(page, at)
            local = self._local(length, remnant.kind)
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
    """Return the variable-length number at *at*, and where it ends."""
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
    """Return a record's columns, as far as *data* has them."""
    header, at = (data[0], 1) if data[0] < 0x80 else _varint(data, 0)
    if not at <= header <= len(data):
        raise Nonsense
    kinds, widths, total = _kinds(data[at:header])
    if header + total != length:
        raise Nonsense
    values: list[Any] = []
    at = header
    for kind, width in zip(kinds, widths, strict=True):
        if at + width > len(data):
            break
        values.append(_value(kind, data[at : at + width]))
        at += width
    return values


@lru_cache(maxsize=1024)
def _kinds(header: bytes) -> tuple[list[int], list[int], int]:
    """Return, from a record's header, the kinds of its columns, how many bytes each has, and their sum."""
    kinds, at = [], 0
    while at < len(header):
        kind, at = _varint(header, at)
        kinds.append(kind)
    widths = [_width(kind) for kind in kinds]
    return kinds, widths, sum(widths)


def _width(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind in (10, 11):
        raise Nonsense
    return 8 if kind == 7 else _INTEGERS.get(kind, 0)


def _value(kind: int, data: bytes) -> Any:
    if kind >= 12:
        return data.decode(errors="replace") if kind & 1 else data
    if kind == 0:
        return None
    if kind == 7:
        return struct.unpack(">d", data)[0]
    return kind - 8 if kind >= 8 else int.from_bytes(data, "big", signed=True)
