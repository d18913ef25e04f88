"""Copying a database file while others write to it. The copy is flushed, only its owner can read it, and it is complete or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ...exceptions import StorageError
from ...runtime.durable import flush
from ...runtime.sqlite import Connection, connect_to_read, copy, translated


@contextmanager
def copied(
    source: Connection, path: str | os.PathLike[str], progress: Callable[[int, int], object] | None = None
) -> Iterator[Path]:
    """
    Copy all that *source* holds at this moment. The copy gets its name when the block ends without an error.

    Args:
        source: The connection to copy from; in no transaction.
        path: The name of the copy, which must not exist yet.
        progress: Called with the number of pages copied so far, and how many there are.

    Yields:
        The copy under a temporary name in the same folder, so that it can be checked.

    Raises:
        StorageFull: There is no space.
        StorageError: *path* exists, it cannot be written, or *source* is damaged.
    """
    target = Path(path)
    _refuse_if_there(target)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)  # 0600
    except OSError as error:
        raise StorageError(
            f"writing {str(target)!r}: {error.strerror}; give a path where a file can be made"
        ) from error
    os.close(descriptor)
    draft = Path(name)
    try:
        copy(source, draft, progress)
        flush(draft)
        yield draft
        _refuse_if_there(target)  # copying takes a while
        os.replace(draft, target)
        flush(target.parent)
    finally:
        # after renaming, nothing is left to remove; the other files exist if there was an error
        for left in (draft, *(draft.with_name(draft.name + ending) for ending in ("-journal", "-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _refuse_if_there(target: Path) -> None:
    if os.path.lexists(target):
        raise StorageError(f"writing {str(target)!r}: it is there already; give a name that is not")


def kept_before_migration(source: Connection, path: str | os.PathLike[str], layout: int) -> Path:
    """
    Copy the file at *path*, whose layout is about to change, to a file beside it that is named after its layout.

    Returns:
        The copy, such as ``connectordb.layout-1.db``, with another number added if that exists already.

    Raises:
        StorageFull: There is no space for the copy.
        StorageError: The file is damaged, and so had better not be changed.
    """
    of = Path(path)
    target, number = of.with_name(f"{of.stem}.layout-{layout}{of.suffix}"), 1
    while os.path.lexists(target):
        number += 1
        target = of.with_name(f"{of.stem}.layout-{layout}-{number}{of.suffix}")
    with copied(source, target) as draft, closing(connect_to_read(draft)) as copy_of_it, translated(path, "reading"):
        ((said,),) = copy_of_it.execute("PRAGMA quick_check(1)")
        if said != "ok":
            raise StorageError(
                f"bringing {str(of)!r} to a new layout: it is damaged ({' '.join(str(said).split())}), and nothing was "
                f"changed; `connectordb check` tells what is wrong, and a backup can be restored"
            )
    return target
