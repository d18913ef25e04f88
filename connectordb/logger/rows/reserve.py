"""
What is left of the disk for sending: a file that has filled it to the last byte could not note what it sends, and so would never have
room again by itself, however long the server is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from ...exceptions import StorageFull

#: Bytes of the disk that no point may take, and the part of a small one: what taking a batch off writes to the log.
_KEPT, _PART = 1024 * 1024, 8

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
    """

    def __init__(self, path: str, sizes: Callable[[], tuple[int, int]]) -> None:
        self._path, self._folder = path, os.path.dirname(path) or os.curdir
        self._sizes = sizes
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

    def _look(self) -> None:
        self._left = _AT_ONCE
        try:
            disk = shutil.disk_usage(self._folder)
            if disk.free >= _PLENTY or not disk.total:  # some file systems do not say how large they are
                return
            whole, inside = self._sizes()
            grows = max(whole - os.path.getsize(self._path), 0)
        except OSError:  # whoever writes will be told
            return
        room = disk.free - min(_KEPT, disk.total // _PART) - grows
        if room <= 0:
            room = inside // 2 if inside >= _INSIDE else 0
        self._left = min(room, _AT_ONCE)
        if not room:
            raise StorageFull(
                f"writing {self._path!r}: the disk is full, but for {disk.free:,} bytes that are kept for syncing; "
                "free some space and go on"
            )
