"""An open cache file: who may write to it and read from it, when. What is written is the business of those who ask."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..exceptions import ClosedError
from ..runtime import sqlite
from . import upgrade
from .commits import Commits
from .tails import Tails

T = TypeVar("T")


class CacheFile:
    """
    A cache file's two connections: one that writes, turn by turn, and one that reads.

    Any number of threads may use it. Other processes may write to the same file at any time.

    Attributes:
        path: Where it is.
        tails: Where the rows of each stream end; touched only by who writes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.tails = Tails()
        self._commits = Commits(upgrade.open_file(path), path, self.tails.forget)
        # guards the reading connection, for as long as a statement runs
        self._reading = threading.Lock()
        self._reader: sqlite.Connection | None = sqlite.connect(path)

    @property
    def is_ours(self) -> bool:
        """Whether this process opened the file, and not one that it was forked from."""
        return self._commits.is_ours

    def close(self) -> None:
        """Finish what is queued and close the file; may be called twice."""
        if not self._commits.is_ours:  # the files are the parent's
            return
        self._commits.close()
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def write(self, work: Callable[[sqlite.Connection], T], *, atomic: bool = False) -> T:
        """
        Run *work*, which writes, and return its result once that is on disk: all of it or nothing.

        Args:
            work: May be run again if others in the same transaction failed.
            atomic: It is a single statement, or right without a transaction around it, which is faster.

        Raises:
            StorageError: As `Commits.run`.
        """
        return self._commits.run(work, atomic=atomic)

    @contextmanager
    def reading(self) -> Iterator[sqlite.Connection]:
        """Have the reading connection for the length of a block."""
        if not self._commits.is_ours:
            raise self._commits.foreign_error()
        with self._reading, sqlite.translated(self.path, "reading"):
            if self._reader is None:
                raise ClosedError(f"the cache file {self.path!r} was closed")
            yield self._reader
