"""Reading a database while its server may be running: in short views, through a connection of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from ..exceptions import StorageError
from ..runtime.layouts import version
from ..runtime.sqlite import Connection, connect_to_read, translated, view
from .database import database_file
from .storage import LAYOUT, Reader
from .storage.access import SQLiteReader

T = TypeVar("T")


class Onlooker:
    """Reads a database file. Made by `onlooking`."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection
        self._reader = SQLiteReader(connection)

    def look(self, work: Callable[[Reader], T]) -> T:
        """
        Run *work* on a consistent view of the database. It should be quick: SQLite's log cannot be cut back meanwhile.

        Raises:
            StorageError: It cannot be read.
        """
        with translated(self._path, "reading"), view(self._connection):
            return work(self._reader)


@contextmanager
def onlooking(directory: str | os.PathLike[str]) -> Iterator[Onlooker]:
    """
    Open a database folder for reading during the block.

    Raises:
        StorageError: It is no database folder, cannot be read, or has another layout than this version knows.
    """
    path = database_file(directory)
    with closing(connect_to_read(path)) as connection:
        with translated(path, "reading"):
            layout = version(connection)
        if layout != LAYOUT:
            raise StorageError(
                f"reading {str(path)!r}: its layout is {layout}, this version of connectordb reads {LAYOUT}; "
                + ("start its server once, which brings it up to date" if layout < LAYOUT else "install a newer one")
            )
        yield Onlooker(path, connection)
