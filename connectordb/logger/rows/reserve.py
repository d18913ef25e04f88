"""
What points leave of the disk, for sending. If a file filled the disk to the last byte, nothing could be noted, so nothing could be sent,
and there would never be room again by itself, however long the server can be reached.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress

from ...exceptions import StorageFull

#: Bytes of the disk that no point may take, as taking a batch off writes that much to the log; of a small disk, one part in so many.
_KEPT, _PART = 1024 * 1024, 2

#: If so many bytes are free, nothing of this matters: the log is far smaller.
_PLENTY = 16 * 1024 * 1024

#: How many bytes may be written after a look at the disk, before the next look.
_AT_ONCE = 1024 * 1024

#: The size of a page of the file; an insert writes some pages to the log, beside what it adds.
_PAGE = 4096

#: If the free pages of the file have so many bytes, it will not grow soon.
_INSIDE = 64 * _PAGE


class Reserve:
    """
    Watches the disk that the file is on.

    Args:
        path: The file.
        sizes: Returns how many bytes the file will have once its log is written back, and how many of these are in free pages.
        empty_log: Writes what the log holds into the file, and empties the log, if that is possible.
    """

    def __init__(self, path: str, sizes: Callable[[], tuple[int, int]], empty_log: Callable[[], object]) -> None:
        self._path, self._folder = path, os.path.dirname(path) or os.curdir
        self._sizes, self._empty_log = sizes, empty_log
        # bytes that may be written before the next look; threads that take some at the same moment make it inexact, which is harmless
        self._left = 0

    def take(self, size: int) -> None:
        """
        Take room for points whose values have so many bytes.

        Raises:
            StorageFull: Only what is kept for sending is left.
        """
        self._left -= 2 * size + 3 * _PAGE
        if self._left < 0:
            self._look()

    def make_room(self) -> None:
        """If the disk is nearly full, write the log back into the file: once it is full to the last byte, that may be impossible."""
        with suppress(OSError):
            if shutil.disk_usage(self._folder).free < _PLENTY:
                self._empty_log()

    def _look(self) -> None:
        self._left = _AT_ONCE
        try:
            room, free = self._room()
            if room <= 0:
                self._empty_log()  # points may take far less in the file than what they wrote to the log
                room, free = self._room()
        except OSError:  # if something is wrong with the disk, the write will say so
            return
        self._left = max(0, min(room, _AT_ONCE))
        if room <= 0:
            raise StorageFull(
                f"writing {self._path!r}: the disk is full, but for {free:,} bytes that are kept for syncing; "
                "free some space and go on"
            )

    def _room(self) -> tuple[int, int]:
        """Return how many bytes points may take, and how many are free on the disk."""
        disk = shutil.disk_usage(self._folder)
        if disk.free >= _PLENTY or not disk.total:  # some file systems do not say how large they are
            return _AT_ONCE, disk.free
        whole, inside = self._sizes()
        grows = max(whole - os.path.getsize(self._path), 0)
        room = disk.free - min(_KEPT, disk.total // _PART) - grows
        if room <= 0 and inside >= _INSIDE:
            room = inside // 2
        return room, disk.free
