"""Writing files so that they are there whole or not at all, also after a power cut."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from ..exceptions import StorageError


def flush(path: str | os.PathLike[str]) -> None:
    """
    Wait until a file's content, or a folder's list of names, is on the disk.

    Raises:
        StorageError: The system reports that it could not be written.
    """
    if os.name == "nt" and os.path.isdir(path):
        return  # Windows cannot open folders, and writes names in order by itself
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
    Write a file that only its owner may read, in one step: a reader finds either all of it, or what was there before.

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


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """
    Yield a file that gets the name *path* at the end of the block, in place of what had it; if the block fails, nothing has changed.

    The content may be larger than memory. The file has the permissions of the one that it replaces, or else the usual ones, and is not
    flushed. If *path* is not a file on a disk but a pipe or a terminal, that is written to directly.

    Raises:
        OSError: It cannot be written; the error names *path*.
    """
    given = Path(path)
    if given.exists() and not given.is_file():
        with given.open("wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))  # if it is a link, the file that it leads to
    half = target.with_name(f".{target.name}-{token_hex(4)}")
    try:
        opened = half.open("xb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    try:
        with opened as file:
            if target.exists():
                shutil.copymode(target, half)
            yield file
        half.replace(target)
    except BaseException as error:
        half.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and not error.filename:  # the disk is full
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
