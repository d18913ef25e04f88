"""
Writing the folder of an export: user by user, device by device, stream by stream, and points piece by piece.

A complete export can be told from an incomplete one: ``connectordb.json`` is written last, after all else is on the disk. Meanwhile
the folder has a lock file, which a killed writer leaves behind; the next one to that folder starts afresh. Only the owner can read
the files, as they contain password hashes and API keys.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock
from filelock import Timeout as LockTimeout

from ...exceptions import StorageError, StorageFull
from ...protocol import exports
from ...runtime.durable import flush
from ..rights.passwords import for_export
from ..rights.permissions import FIELDS, Kind
from ..storage import Device, Stream, User

#: The lock file, which is in the folder as long as the export is not complete.
UNFINISHED = "unfinished.lock"

#: Bytes that are gathered before they are written to a file.
_BUFFER = 1024 * 1024


class ExportWriter:
    """
    An export under way. It is complete when its ``with`` block ends without an error; else it is removed.

    Args:
        directory: The folder to write. It must not exist, or be an incomplete export, which is replaced.

    Raises:
        StorageError: The folder exists, or cannot be written.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory).absolute()
        self._lock = _begun(self.directory)
        #: The folders of the current user, device and stream, as far as they were begun.
        self._folders: list[Path] = []
        self._files: set[str] = set()

    def user(self, user: User) -> None:
        """Begin a user."""
        scheme = dict(zip(("password_scheme", "password_salt", "password"), for_export(user.password), strict=True))
        self._begin(0, "user", {**_fields("user", user), **{name: scheme[name] for name in exports.PASSWORD}})

    def device(self, device: Device) -> None:
        """Begin a device of the user that was begun last."""
        self._begin(1, "device", _fields("device", device))

    def stream(self, stream: Stream) -> None:
        """Begin a stream of the device that was begun last. Its points follow by `points`; without that it has none."""
        self._begin(2, "stream", _fields("stream", stream))
        self._files = {exports.DATA, *([exports.DOWNLINK] if stream.downlink else [])}

    def points(self, pieces: Iterable[bytes], *, downlink: bool = False) -> None:
        """
        Write the points of the stream that was begun last, or of its downlink: once, all of them.

        Args:
            pieces: JSON text as the storage keeps it: objects separated by commas, without brackets.
            downlink: Whether these are the points of the downlink, which the stream must have.
        """
        name = exports.DOWNLINK if downlink else exports.DATA
        if name not in self._files:
            raise ValueError(f"the stream has no {name}, or its points were written before")
        self._files.remove(name)
        path = self._folders[2] / name
        with _translated(path), os.fdopen(_new_file(path), "wb", buffering=_BUFFER) as file:
            before = b"["
            for piece in pieces:
                if piece:
                    file.write(before)
                    file.write(piece)
                    before = b","
            file.write(b"[]" if before == b"[" else b"]")

    def drop(self) -> None:
        """Remove what was begun last, a stream, a device or a user, as it was deleted meanwhile."""
        self._files = set()
        folder = self._folders.pop()
        with _translated(folder):
            shutil.rmtree(folder)

    def _begin(self, depth: int, kind: Kind, fields: dict[str, Any]) -> None:
        if len(self._folders) < depth:
            raise ValueError(f"a {kind} belongs into what was not begun")
        self._end_stream()
        del self._folders[depth:]
        folder = _new_folder(self._folders[-1] if depth else self.directory, fields["name"])
        self._folders.append(folder)
        _write_object(folder / exports.OBJECT[kind], fields)

    def _end_stream(self) -> None:
        for name in sorted(self._files):
            self.points((), downlink=name == exports.DOWNLINK)

    def __enter__(self) -> ExportWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        except BaseException:
            self._remove()
            raise
        if error is not None:
            self._remove()

    def _finish(self) -> None:
        self._end_stream()
        with _translated(self.directory):
            _flush_all(self.directory)
            about = self.directory / exports.ABOUT
            _write_object(about, exports.about(exports.SERVERS_VERSION))
            flush(about)
            self._lock.release()
            (self.directory / UNFINISHED).unlink(missing_ok=True)
            flush(self.directory)

    def _remove(self) -> None:
        """Leave nothing behind: an incomplete export would take space and contain keys."""
        self._lock.release()
        shutil.rmtree(self.directory, ignore_errors=True)


def _begun(directory: Path) -> FileLock:
    """Make the folder, or empty that of an incomplete export; return its lock."""
    lock = FileLock(directory / UNFINISHED, mode=0o600, thread_local=False)
    with _translated(directory):
        there = StorageError(f"exporting to {str(directory)!r}: it is there already; give a folder that is not")
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            directory.mkdir(mode=0o700)
        except FileExistsError as error:
            if not (directory / UNFINISHED).is_file():
                raise there from error
        try:
            lock.acquire(timeout=0)
        except LockTimeout as error:
            raise StorageError(
                f"exporting to {str(directory)!r}: another export writes there at this moment"
            ) from error
        if os.path.lexists(directory / exports.ABOUT):
            # looked for only under the lock, as another export may have been completed a moment ago
            lock.release()
            (directory / UNFINISHED).unlink(missing_ok=True)
            raise there
        try:
            for left in directory.iterdir():
                if left.name != UNFINISHED:
                    shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        except BaseException:
            lock.release()
            raise
    return lock


def _new_folder(parent: Path, name: str) -> Path:
    """Make a folder with that name; if a file system that ignores case takes it for an existing one, with a number added."""
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}~{number}")  # no name has a ~ in it
        try:
            with _translated(folder):
                folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def _fields(kind: Kind, row: User | Device | Stream) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS[kind] if name != "password"}


def _write_object(path: Path, content: dict[str, Any]) -> None:
    with _translated(path), os.fdopen(_new_file(path), "w", encoding="utf-8") as file:
        # indented like the original server's files, for people who read it
        json.dump(content, file, ensure_ascii=False, indent="\t")


def _new_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


def _flush_all(directory: Path) -> None:
    """Flush all that was written to the disk."""
    if hasattr(os, "sync"):
        # all at once: flushing many small files one by one can take minutes on a memory card
        os.sync()
        return
    for folder, _, names in os.walk(directory):
        for name in names:
            flush(Path(folder) / name)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into ours, which say what was being written."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise StorageFull(f"writing {str(path)!r}: the disk is full; free some space and export again") from error
        raise StorageError(f"writing {str(path)!r}: {error.strerror or error}") from error
