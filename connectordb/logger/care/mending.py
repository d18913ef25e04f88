"""
Opening a cache file, and mending it if it is damaged.

What can be read is brought over to a new file; the old one is kept beside it, with its log, under a name that says when. The
process may be killed at any moment of that: what it is about to do is written down in a file beside them, by which the next process
goes on. If several processes open the file at once, one of them does it, and the others wait.
"""

from __future__ import annotations

import filecmp
import glob
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...exceptions import StorageDamaged
from ...protocol import json_text
from ...runtime import durable, sqlite
from ...runtime.clock import SYSTEM
from ..file import Busy, Turn, upgrade
from .salvage import is_a_loggers, salvage
from .soundness import Check

log = logging.getLogger(__name__)

#: The ends of the names of the files that belong to a cache file. The cache file itself is replaced last.
_BESIDE = ("-wal", "-shm", "-journal")

#: Seconds to wait for another process that mends, or syncs.
_PATIENCE = 600.0

#: Seconds to wait for another process that has just opened the file, and finds that it is damaged.
_A_MOMENT = 10.0


def open_file(path: str | os.PathLike[str]) -> sqlite.Connection:
    """
    Open a cache file for writing, and bring it to the newest layout; create it if it does not exist, mend it if it is damaged.

    Raises:
        StorageDamaged: It is damaged, and cannot be mended, as another process has it open, or as it is not a Logger's.
        StorageError: It is a directory, unreadable, not SQLite, not a Logger's, or newer than this program.
    """
    place = Path(os.path.abspath(path))
    for _ in range(3):
        if _plan(place).exists():
            _mend(place, "")
        before = _identity(place)
        try:
            connection = _opened(place, path)
        except StorageDamaged as error:
            try:
                if not place.is_file() or not _is_ours(place):
                    raise
                _mend(place, str(error))
            except sqlite.InUse as busy:
                raise StorageDamaged(
                    f"{error}; it cannot be mended while others have it open: end them, and open it again"
                ) from busy
            continue
        # a process that mends gives the name to another file, and we may have opened the one that had it before
        if not _plan(place).exists() and before in (None, _identity(place)):
            _suspicion(place).unlink(missing_ok=True)
            return connection
        connection.close()
    raise StorageDamaged(
        f"opening {os.fspath(path)!r}: it is damaged again as soon as it was mended; is the disk failing?"
    )


def suspect(path: str | os.PathLike[str]) -> None:
    """Note that damage was met while the file was in use: the next time it is opened, all of it is checked."""
    try:
        _suspicion(Path(path)).touch(mode=0o600)
    except OSError as error:
        log.warning("%s is damaged, and that cannot be noted beside it: %s", path, error)


def _suspicion(place: Path) -> Path:
    return Path(f"{place}.suspect")


def _plan(place: Path) -> Path:
    return Path(f"{place}.mending")


def _identity(place: Path) -> tuple[int, int] | None:
    try:
        status = place.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _opened(place: Path, path: str | os.PathLike[str]) -> sqlite.Connection:
    if not place.is_file():
        return upgrade.open_file(path)
    return upgrade.open_file(path, Check(place, thorough=_suspicion(place).exists()))


def _is_ours(place: Path) -> bool:
    """Tell whether a file that SQLite cannot read is a Logger's all the same."""
    # alone, as reading it without SQLite takes away SQLite's locks on it in this process
    with sqlite.alone(place, _A_MOMENT):
        return is_a_loggers(place)


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageDamaged(f"mending {os.fspath(place)!r}: {error.strerror}; it stays as it is") from error


@contextmanager
def _turn(place: Path) -> Iterator[None]:
    try:
        with Turn(place).taken(_PATIENCE):
            yield
    except Busy as error:
        raise StorageDamaged(
            f"opening {os.fspath(place)!r}: the file is damaged, and another process is using it; end that, and open it again"
        ) from error


def _mend(place: Path, why: str) -> None:
    with _turn(place), _told(place):
        if not _plan(place).exists():
            try:
                _opened(place, place).close()
                return  # another process has mended it meanwhile
            except StorageDamaged as error:
                why = str(error)
            stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(SYSTEM.wall()))
            kept = _free_name(place, stamp)
            with sqlite.alone(place, _A_MOMENT):
                durable.write(_plan(place), json_text.dumps({"kept": kept.name, "why": why}))
                durable.flush(place.parent)
                _put_aside(place, kept)
        else:
            kept, why = _planned(place)
            if not kept.exists():
                with sqlite.alone(place, _A_MOMENT):
                    _put_aside(place, kept)
        if not _is_replaced(place, kept):
            _replace(place, kept, why)
        _suspicion(place).unlink(missing_ok=True)
        _plan(place).unlink(missing_ok=True)
        # plans that a process was killed while writing
        for unfinished in place.parent.glob(f".{glob.escape(_plan(place).name)}-*"):
            unfinished.unlink(missing_ok=True)
        durable.flush(place.parent)


def _planned(place: Path) -> tuple[Path, str]:
    """Return the new name of the damaged file, and what is wrong with it, as the process that was killed wrote it down."""
    try:
        plan = json_text.loads(_plan(place).read_bytes())
        return place.with_name(plan["kept"]), str(plan["why"])
    except (ValueError, TypeError, KeyError) as error:
        raise StorageDamaged(
            f"opening {str(place)!r}: it was being mended, and {_plan(place).name!r}, which says how far that came, is damaged itself; "
            f"if there is a file {place.name}.damaged-…, give that and what belongs to it its old name, and remove the other"
        ) from error


def _free_name(place: Path, stamp: str) -> Path:
    name = f"{place.name}.damaged-{stamp}"
    number = 1
    while place.with_name(name).exists():
        number += 1
        name = f"{place.name}.damaged-{stamp}-{number}"
    return place.with_name(name)


def _put_aside(place: Path, kept: Path) -> None:
    """Give the damaged file its second name, and its log, too, which must not be left for the new file."""
    _drop_empty_log(place)
    for end in _BESIDE:
        with suppress(FileNotFoundError):
            os.replace(f"{place}{end}", f"{kept}{end}")
            os.chmod(f"{kept}{end}", 0o600)
    durable.flush(place.parent)
    os.chmod(place, 0o600)
    try:
        os.link(place, kept)
    except OSError:  # the file system has no hard links
        part = Path(f"{kept}.part")
        shutil.copyfile(place, part)
        os.chmod(part, 0o600)
        durable.flush(part)
        os.replace(part, kept)
    durable.flush(place.parent)


def _drop_empty_log(place: Path) -> None:
    """Remove a log that only exists because somebody looked at the file."""
    with suppress(FileNotFoundError):
        if os.stat(f"{place}-wal").st_size == 0:
            for end in ("-wal", "-shm"):
                Path(f"{place}{end}").unlink(missing_ok=True)


def _is_replaced(place: Path, kept: Path) -> bool:
    return not os.path.samefile(place, kept) and not filecmp.cmp(place, kept, shallow=False)


def _replace(place: Path, kept: Path, why: str) -> None:
    new = Path(f"{place}.mended")
    for end in ("", *_BESIDE):
        Path(f"{new}{end}").unlink(missing_ok=True)
    now = SYSTEM.wall()
    salvaged = salvage(kept, new, now, {"at": now, "kept": kept.name, "why": why})
    _drop_empty_log(kept)
    durable.flush(new)
    os.replace(new, place)
    durable.flush(place.parent)
    log.warning(
        "%s; it was mended: %d points wait, %d are set aside, %d are lost; what there was is kept as %s",
        why,
        salvaged.waiting,
        salvaged.aside,
        salvaged.lost,
        kept.name,
    )
