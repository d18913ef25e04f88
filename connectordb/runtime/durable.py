"""Files and folders, flushed: what has been given its name keeps it through a power cut."""

from __future__ import annotations

import os

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
