"""Whether the server is ready, and if not, why: what ``GET /health`` answers. Cheap, and open to everybody."""

from __future__ import annotations

import os
import shutil

from ..storage import Storage

#: Its path, outside of the interface of 0.3 servers.
PATH = "/health"

#: Bytes on the disk without which nothing can be written for long.
_ROOM = 1024 * 1024


class Health:
    """
    Tells whether the server is ready.

    Args:
        storage: Where everything is kept.
        directory: The storage's folder.
    """

    def __init__(self, storage: Storage, directory: str | os.PathLike[str]) -> None:
        self._storage = storage
        self._directory = os.fspath(directory)

    def why_not(self) -> str:
        """Return why the server cannot do its work; empty if it can."""
        state = self._storage.state()
        if state.broken:
            return "the storage has ended by an error; start the server again"
        if state.full or self._free() < _ROOM:
            return "the disk is full"
        return ""

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._directory).free
        except OSError:
            return _ROOM  # if it cannot be found out, a failing write will show it
