"""Checking a cache file, and giving back space that it no longer needs, whether a Logger is using it or not."""

from __future__ import annotations

import os
from pathlib import Path

from ...exceptions import StorageDamaged, StorageError
from ...runtime import checkpoints, layouts, sqlite
from ..file import ACCEPTED, MASK, NUMBER_BITS, WAITING, upgrade
from .soundness import Check

#: So many bytes can be rewritten, even on slow cards, within the time that others wait for a write to end.
_QUICK = 64 * 1024 * 1024


def check(path: str | os.PathLike[str]) -> list[str]:
    """
    Go through a Logger's file, and return what is wrong with it, usually nothing. It is only read; a Logger may be using it.

    Damage is mended when a Logger opens the file.

    Raises:
        StorageError: There is no such file, or it is not a Logger's.
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
                # an older one: the next Logger that opens it upgrades it
                if layouts.version(connection) != len(upgrade.MIGRATIONS):
                    return []
                sqlite.take_on(connection)
                return _checked(connection)
        finally:
            connection.close()
    except StorageDamaged as error:
        return [str(error)]


def _checked(connection: sqlite.Connection) -> list[str]:
    """Compare the counts of each stream with the rows in the file."""
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
    Give back the space that a Logger's file no longer needs; return its size before and after.

    Inserts have to wait meanwhile. So a large file that is in use is left alone, unless *anyway*.

    Raises:
        StorageFull: There is not as much free space as the file will take.
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
