"""Files and folders, flushed: what has been given its name keeps it through a power cut."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..exceptions import StorageError


def flush(path: str | os.PathLike[str]) -> None:
    """
    Wait until a file's content, or a folder's list of names, is on the disk.

    Raises:
        StorageError: The system reports that it could not be written.
    """
    if os.name == "nt" and os.path.isdir(path):
        return  # Windows opens no folders, and writes names by itself in order
    try:
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageError(f"flushing {os.fspath(path)!r}: {error.strerror}") from error


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """
    Write a file for its owner only, as one step: whoever reads finds all of it, or what was there before.

    Raises:
        StorageError: It could not be written; then nothing has changed.
    """
    target = Path(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise StorageError(f"writing {str(target)!r}: {error.strerror}") from error
