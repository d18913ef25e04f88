"""Looking after a cache file, with and without a Logger that uses it: is all of it there, and is there space to give back."""

from __future__ import annotations

import os
from pathlib import Path

from ...exceptions import StorageDamaged, StorageError
from ...runtime import checkpoints, layouts, sqlite
from ..file import ACCEPTED, MASK, NUMBER_BITS, WAITING, upgrade
from .soundness import Check

#: Bytes that are rewritten within the time that others wait for who writes, on slow cards too.
_QUICK = 64 * 1024 * 1024


def check(path: str | os.PathLike[str]) -> list[str]:
    """
    Go through a Logger's file, and return what is wrong: nothing, as a rule. It is only read; a Logger may be using it.

    What is damaged is mended when a Logger opens the file.

    Raises:
        StorageError: There is none, or it is not a Logger's.
    """
    if not Path(path).is_file():
        raise StorageError(f"opening {os.fspath(path)!r}: there is no such file")
    try:
        look = Check(path, thorough=True)
        connection = sqlite.connect(path, only_look=True)
        try:
            with sqlite.translated(path, "reading"):
                upgrade.check_kind(connection, path)
                look(connection)
                if layouts.version(connection) != len(upgrade.MIGRATIONS):  # older: the next Logger takes it over
                    return []
                sqlite.take_on(connection)
                return _checked(connection)
        finally:
            connection.close()
    except StorageDamaged as error:
        return [str(error)]


def _checked(connection: sqlite.Connection) -> list[str]:
    """Compare the numbers of each stream with the rows that are there."""
    found = [str(said) for (said,) in connection.execute("PRAGMA integrity_check") if said != "ok"]
    query = (
        f"SELECT s.name, {ACCEPTED}, {WAITING}, (SELECT count(*) FROM point p WHERE p.id BETWEEN (s.id << {NUMBER_BITS}) + s.held + 1 "
        f"AND (s.id << {NUMBER_BITS}) + ?1), s.aside, (SELECT count(*) FROM rejected r WHERE r.id BETWEEN s.id << {NUMBER_BITS} AND (s.id << {NUMBER_BITS}) + ?1) "
        "FROM stream s ORDER BY s.id"
    )
    for name, accepted, waiting, rows, aside, rejected in connection.execute(query, (MASK,)):
        if (waiting, aside) != (rows, rejected):
            found.append(
                f"{name}: of {accepted} points {waiting} should wait, and {rows} do; {aside} should be set aside, and {rejected} are"
            )
    return found


def vacuum(path: str | os.PathLike[str], *, anyway: bool = False) -> tuple[int, int]:
    """
    Give the space back that a Logger's file does not need any more; return its size before and after.

    Whoever inserts meanwhile waits. So a large file that is in use is left alone, unless *anyway*.

    Raises:
        StorageFull: There is not as much space as the file will take.
        StorageError: The file is large and in use, or cannot be written.
    """
    before = _size(path)
    in_use = _in_use(path)
    connection = upgrade.open_file(path, Check(path))
    try:
        with sqlite.translated(path, "vacuuming"):
            pages, free, size = (int(connection.pragma(name)) for name in ("page_count", "freelist_count", "page_size"))
        needed = (pages - free) * size
        if needed > _QUICK and in_use and not anyway:
            raise StorageError(
                f"vacuuming {os.fspath(path)!r}: {needed:,} bytes would be rewritten, and whoever uses the file would wait that "
                "long; end that first, or say that it is to be done anyway"
            )
        with sqlite.translated(path, "vacuuming"):
            connection.execute("VACUUM")
            checkpoints.write_back(connection)
    finally:
        connection.close()
    return before, _size(path)


def _in_use(path: str | os.PathLike[str]) -> bool:
    try:
        with sqlite.alone(path, 0.0):
            return False
    except sqlite.InUse:
        return True


def _size(path: str | os.PathLike[str]) -> int:
    return sum(
        Path(f"{os.fspath(path)}{end}").stat().st_size
        for end in ("", "-wal")
        if os.path.exists(f"{os.fspath(path)}{end}")
    )
