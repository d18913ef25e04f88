"""
What is left of the disk for sending: a file that has filled it to the last byte could not note what it sends, and so would never have
room again by itself, however long the server is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress

from ...exceptions import StorageFull

#: Bytes of the disk that no point may take, and the part of a small one: what taking a batch off writes to the log.
_KEPT, _PART = 1024 * 1024, 2

#: With so many bytes nothing of this matters: the log is far smaller.
_PLENTY = 16 * 1024 * 1024

#: Bytes that may be written after a look at the disk, before the next.
_AT_ONCE = 1024 * 1024

#: A page of the file; an insert writes some to the log beside what it adds.
_PAGE = 4096

#: Bytes in free pages of the file with which it does not grow soon.
_INSIDE = 64 * _PAGE


class Reserve:
    """
    The disk on which the file at *path* is.

    Args:
        path: The file.
        sizes: Returns the bytes of the file as it will be with what its log holds, and how many of these are free.
        empty_log: Writes into the file what its log holds, which takes no space then, if that can be.
    """

    def __init__(self, path: str, sizes: Callable[[], tuple[int, int]], empty_log: Callable[[], object]) -> None:
        self._path, self._folder = path, os.path.dirname(path) or os.curdir
        self._sizes, self._empty_log = sizes, empty_log
        self._left = 0  # bytes that may come before the next look; threads that take some at once do no harm

    def take(self, size: int) -> None:
        """
        Take room for points whose values have so many bytes.

        Raises:
            StorageFull: Only what is kept is left.
        """
        self._left -= 2 * size + 3 * _PAGE
        if self._left < 0:
            self._look()

    def make_room(self) -> None:
        """Have what is in the log be in the file, if the disk is nearly full: once that is full to the last byte it could not be written there."""
        with suppress(OSError):
            if shutil.disk_usage(self._folder).free < _PLENTY:
                self._empty_log()

    def _look(self) -> None:
        self._left = _AT_ONCE
        try:
            room, free = self._room()
            if room <= 0:
                self._empty_log()  # some points have written much there, and take little in the file
                room, free = self._room()
        except OSError:  # whoever writes will be told
            return
        self._left = max(0, min(room, _AT_ONCE))
        if room <= 0:
            raise StorageFull(
                f"writing {self._path!r}: the disk is full, but for {free:,} bytes that are kept for syncing; "
                "free some space and go on"
            )

    def _room(self) -> tuple[int, int]:
        """Return the bytes that points may take, and those that are free on the disk."""
        disk = shutil.disk_usage(self._folder)
        if disk.free >= _PLENTY or not disk.total:  # some file systems do not say how large they are
            return _AT_ONCE, disk.free
        whole, inside = self._sizes()
        grows = max(whole - os.path.getsize(self._path), 0)
        room = disk.free - min(_KEPT, disk.total // _PART) - grows
        if room <= 0 and inside >= _INSIDE:
            room = inside // 2
        return room, disk.free
