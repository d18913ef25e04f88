"""The layout of a SQLite file: which one it has, and how it is brought up to date."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ..exceptions import StorageError
from .sqlite import Connection, transaction

#: A change of the file's layout; it runs in the transaction that notes it as done.
Migration = Callable[[Connection], None]


def version(connection: Connection) -> int:
    """Return how many migrations the file has been through."""
    return int(connection.pragma("user_version"))


def check_version(connection: Connection, path: str | os.PathLike[str], known: int) -> None:
    """
    Check that this program knows the file's layout.

    Raises:
        StorageError: The file is newer.
    """
    if version(connection) > known:
        raise StorageError(
            f"opening {os.fspath(path)!r}: a newer version of connectordb made this file (layout "
            f"{version(connection)}, this one knows {known}); install that version"
        )


def migrate(
    connection: Connection,
    path: str | os.PathLike[str],
    migrations: Sequence[Migration],
    before: Callable[[int], object] | None = None,
) -> None:
    """
    Bring the file to the newest layout, each step in a transaction of its own.

    Args:
        connection: The open file.
        path: Its name, for errors.
        migrations: All steps, including those that it has been through.
        before: Called with the file's layout before the first step, if the file is not new.

    Raises:
        StorageError: The file is newer than this program.
    """
    known = len(migrations)
    check_version(connection, path, known)
    if before is not None and 0 < version(connection) < known:
        before(version(connection))
    for number in range(version(connection), known):
        with transaction(connection):
            if version(connection) == number:  # another process may have been faster
                migrations[number](connection)
                connection.pragma("user_version", number + 1)
