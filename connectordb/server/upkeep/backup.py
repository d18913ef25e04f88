"""Backups: a copy of a whole database in one file, made while the server runs, and a folder made of it again."""

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
    Write all that a database holds at this moment into a file, whether its server runs or not; the server is not held up.

    The copy is gone through as by `check`, flushed to disk, and only then gets its name. It is one file for its owner only:
    it holds passwords' hashes and API keys, as the database does.

    Args:
        directory: The database's folder.
        file: Where to; there must be nothing.
        progress: Called now and then.

    Raises:
        StorageFull: There is no space.
        StorageError: There is something at *file*, it cannot be written, or the database is damaged.
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
    Make a database folder of a backup; whole, or not at all.

    Args:
        directory: Where; it must not exist, or be empty.
        file: What `backup` wrote.
        keep_old: If there is a database already, which nobody may have open, put it aside instead of refusing.
        progress: Called now and then.

    Returns:
        Where the old database is now, if there was one.

    Raises:
        DatabaseInUse: A server has the folder open.
        StorageError: There is something at *directory*, *file* is damaged or no backup, or the folder cannot be made.
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
            elif keep_old and os.path.lexists(path):  # without it, what came meanwhile is somebody else's
                old = _put_aside(path)
    except BaseException:
        if old is not None and not os.path.lexists(path):
            old.rename(path)
        raise
    return old


def _put_aside(path: Path) -> Path:
    """Give a database that nobody has open another name beside its own."""
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
