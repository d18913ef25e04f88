"""Backups: copying a whole database to one file while the server runs, and making a folder from it again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ...exceptions import StorageError
from ...runtime.durable import flush
from ...runtime.sqlite import connect_to_read
from ..database import FILE, built, database_file, only_while_stopped
from ..progress import Progress
from ..storage import copied
from .check import first_finding


def backup(directory: str | os.PathLike[str], file: str | os.PathLike[str], progress: Progress | None = None) -> None:
    """
    Write all that a database holds at this moment to a file. Its server may run, and is not held up.

    The copy is checked as by `check`, flushed to disk, and only then gets its name. Only its owner can read the file, as it holds
    password hashes and API keys.

    Args:
        directory: The database's folder.
        file: The file to write; it must not exist.
        progress: Called now and then.

    Raises:
        StorageFull: There is no space.
        StorageError: *file* exists, it cannot be written, or the database is damaged.
    """
    source_path = database_file(directory)
    with closing(connect_to_read(source_path)) as source, copied(source, file, _copying(progress)) as draft:
        if finding := first_finding(draft, progress, str(source_path)):
            raise StorageError(
                f"no backup was written, as the database is damaged: {finding}. `connectordb check` tells all that is wrong"
            )


def restore(
    directory: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    keep_old: bool = False,
    progress: Progress | None = None,
) -> Path | None:
    """
    Make a database folder from a backup; completely, or not at all.

    Args:
        directory: The folder to make; it must not exist, or be empty.
        file: A file that `backup` wrote.
        keep_old: If there is a database at *directory* already, put it aside instead of refusing. No server may have it open.
        progress: Called now and then.

    Returns:
        The new place of the old database, if there was one.

    Raises:
        DatabaseInUse: A server has the folder open.
        StorageError: *directory* exists, *file* is damaged or no backup, or the folder cannot be made.
    """
    path = Path(directory).absolute()
    empty = path.is_dir() and not any(path.iterdir())
    if os.path.lexists(path) and not empty and not keep_old:
        raise StorageError(
            f"restoring to {str(path)!r}: it is there already; give a folder that is not, or --force to put the old one aside"
        )
    old = None
    try:
        with built(path) as building:
            with closing(connect_to_read(file)) as source:
                with copied(source, building / FILE, _copying(progress)) as draft:
                    if finding := first_finding(draft, progress, os.fspath(file)):
                        raise StorageError(
                            f"restoring from {os.fspath(file)!r}: it is damaged: {finding}. Nothing was changed"
                        )
            if empty:
                path.rmdir()
            elif keep_old and os.path.lexists(
                path
            ):  # without keep_old, what has appeared meanwhile must not be touched
                old = _put_aside(path)
    except BaseException:
        if old is not None and not os.path.lexists(path):
            old.rename(path)
        raise
    return old


def _put_aside(path: Path) -> Path:
    """Rename a database that no server has open, in the same folder; return its new path."""
    stem = f"{path.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    target, number = path.with_name(stem), 1
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{stem}-{number}")
    with only_while_stopped(path):
        path.rename(target)
    flush(path.parent)
    return target


def _copying(progress: Progress | None) -> Callable[[int, int], object] | None:
    return None if progress is None else lambda done, all: progress("copying", done, all)
