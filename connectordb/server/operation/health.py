"""Whether the server is ready, and why not: what ``GET /health`` answers. Cheap, and no secret."""

from __future__ import annotations

import os
import shutil

from ..storage import Storage

#: Where it is asked, outside of the interface of 0.3 servers.
PATH = "/health"

#: Bytes on the disk without which nothing can be written for long.
_ROOM = 1024 * 1024


class Health:
    """
    Whether the server is ready.

    Args:
        storage: Where everything is kept.
        directory: The folder in which it keeps it.
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
            return _ROOM  # where that cannot be asked, writing tells
