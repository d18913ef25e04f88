"""
What a subscription remembers beyond the end of its process, however that ends: a small file, held by one subscription at a time.

The file has two slots. A state is written, with a number and a digest, into the slot that does not hold the newest flushed state. So
a write that a power cut tears leaves the other slot as it was; the slot with the higher number counts, if its digest is right. No file
is renamed for this, which would make a save several times as slow (measured on ext4: 0.08 ms against 0.37 for flushing a new file, its
name and the folder), and nothing is allocated, so that a place can be saved even if the disk is full. A state that does not fit into
a slot is written as a new file with larger slots, which takes the old one's name.

The holder has a lock of the operating system on a file beside it, which ends with the process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import weakref
from dataclasses import astuple
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from ...exceptions import ClosedError, LocalProtocolError, RememberInUse, StorageDamaged, StorageError
from ...protocol import json_text
from ...protocol.paths import Path
from ...runtime import durable
from .place import Place

if TYPE_CHECKING:
    from filelock import BaseFileLock

_MAGIC = b"connectordb remember "
_VERSION = 1

#: The size of the smallest slots, in bytes: writing one never touches a page, or a sector, of the other.
_SLOT = 4096

#: The most bytes of a slot's first line.
_HEADER = 128

_fsync = getattr(os, "fdatasync", os.fsync)


class Remembered:
    """
    A remember file, held until `close`.

    Args:
        file: Where it is; created if it does not exist.
        path: The stream or downlink that it is about.
        server_url: The server.

    Attributes:
        place: The place that was saved last; `None` if none was.
        work: What was saved beside it.

    Raises:
        RememberInUse: Another subscription holds it.
        LocalProtocolError: It is about another stream, or a stream on another server.
        StorageDamaged: What is in it is not what was written.
        StorageError: It is not a remember file, or it cannot be read or created.
    """

    def __init__(self, file: str | os.PathLike[str], path: Path, server_url: str) -> None:
        # the real path: however the file is named, it has one lock file; and a program may change its working directory
        self._file = os.path.realpath(os.path.abspath(os.fspath(file)))
        self._about = {"stream": str(path), "server": server_url}
        self.place: Place | None = None
        self.work: dict[str, Any] | None = None
        # guards what is below, and the file
        self._guard = threading.Lock()
        self._descriptor: int | None = None
        self._slot, self._size, self._number = 0, _SLOT, 0
        self._lock = _locked(self._file)
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        _watch_forks(self)

    def save(self, place: Place | None, work: dict[str, Any] | None = None, *, flush: bool = True) -> None:
        """
        Remember *place*, and *work* beside it, instead of what was saved before.

        Args:
            place: How far the stream has been handled.
            work: Any other JSON value.
            flush: Return once this survives a power cut. Otherwise it survives the end of this process, unless that comes in the
                middle of the next save; what was flushed last survives in any case.

        Raises:
            StorageError: It could not be written; what was saved before is still there.
            RememberInUse: Its lock file was removed, and another subscription has it.
            ClosedError: After `close`.
        """
        with self._guard:
            self._check_there()
            self._write({"place": None if place is None else list(astuple(place)), "work": work}, flush)
            self.place, self.work = place, work

    def close(self) -> None:
        """Leave the file to others; calling it twice does nothing."""
        with self._guard:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)
            self._lock.release(force=True)

    def __repr__(self) -> str:
        """Say the file's name."""
        return f"<Remembered in {self._file!r}>"

    # --- the file -----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            if not os.path.lexists(self._file):
                self._replace(_SLOT, {"place": None, "work": None})
                return
            self._descriptor = _opened(self._file)
            content = _read(self._descriptor)
        except OSError as error:
            raise StorageError(f"reading the remember file {self._file!r}: {error.strerror}") from error
        self._size = len(content) // 2
        self._slot, self._number, state = _newest(content, self._file)
        about = {name: state.get(name) for name in self._about}
        if about != self._about:
            raise LocalProtocolError(
                f"the remember file {self._file!r} is about {about['stream']} at {about['server']}, not about "
                f"{self._about['stream']} at {self._about['server']}: give each subscription a file of its own, or remove "
                "this one to begin anew"
            )
        try:
            self.place = None if state["place"] is None else Place(*state["place"])
            self.work = state["work"]
        except (KeyError, TypeError) as error:
            raise StorageDamaged(f"the remember file {self._file!r} says what makes no sense ({error})") from error
        self._write({"place": state["place"], "work": self.work}, flush=True)  # says who has it

    def _check_there(self) -> None:
        if self._descriptor is None:
            raise ClosedError(f"the remember file {self._file!r} was closed with its subscription")
        if os.fstat(self._descriptor).st_nlink == 0:
            raise StorageError(
                f"the remember file {self._file!r} was removed while it was in use: what has been handled since is not "
                "remembered. Subscribe again"
            )
        descriptor = self._lock._context.lock_file_fd
        if descriptor is None or os.fstat(descriptor).st_nlink == 0:
            self._lock_again()

    def _lock_again(self) -> None:
        """
        Lock it again: the lock file was removed, by what cleans /tmp for instance, and so locks nobody out any more.

        Raises:
            RememberInUse: Another process holds the file by now.
            StorageError: Another process has held it meanwhile, and written to it.
        """
        self._lock.release(force=True)
        self._lock = _locked(self._file)
        try:
            try:
                content = FilePath(self._file).read_bytes()
            except OSError as error:
                raise StorageError(f"reading the remember file {self._file!r}: {error.strerror}") from error
            number = _newest(content, self._file)[1]
            if number != self._number:
                raise StorageError(
                    f"the remember file {self._file!r} was written by somebody else while its lock file was removed: what it "
                    "says now is not known here. Subscribe again"
                )
        except BaseException:
            self._lock.release(force=True)  # so that the next save looks again
            raise

    def _write(self, state: dict[str, Any], flush: bool) -> None:
        assert self._descriptor is not None
        text = _encode(self._number + 1, {**self._about, "pid": os.getpid(), **state})
        if len(text) > self._size:
            self._replace(len(text), state)
            return
        other = 1 - self._slot
        try:
            os.lseek(self._descriptor, other * self._size, os.SEEK_SET)
            written = os.write(self._descriptor, text)
            if written != len(text):  # the disk is full, and the file system copies on write
                raise StorageError(f"writing the remember file {self._file!r}: only {written} of {len(text)} bytes")
            if flush:
                _fsync(self._descriptor)
        except OSError as error:
            raise StorageError(f"writing the remember file {self._file!r}: {error.strerror}") from error
        self._number += 1
        if flush:
            # only if flushed: the next save overwrites a state that was not flushed, and leaves the one that was
            self._slot = other

    def _replace(self, needed: int, state: dict[str, Any]) -> None:
        """Write a new file, with slots of at least *needed* bytes."""
        size = _SLOT
        while size < needed:
            size *= 2
        text = _encode(self._number + 1, {**self._about, "pid": os.getpid(), **state})
        before, self._descriptor = self._descriptor, None
        if before is not None:
            os.close(before)  # Windows does not replace a file that is open
        try:
            durable.write(self._file, text.ljust(2 * size, b"\0"))
            durable.flush(os.path.dirname(self._file))
            self._slot, self._size, self._number = 0, size, self._number + 1
        finally:
            if os.path.lexists(self._file):
                self._descriptor = _opened(self._file)

    def _leave(self) -> None:
        """
        Let go of the file, in a forked child.

        The child's copy of the open lock file keeps the parent's lock alive, and unlocking it would unlock the parent, too; so it is
        only closed. Newer versions of filelock have done that already.
        """
        self._guard = threading.Lock()
        context = self._lock._context
        if context.lock_file_fd is not None:
            os.close(context.lock_file_fd)
            context.lock_file_fd = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


# --- one holder -------------------------------------------------------------------------------------------------------


def _locked(file: str) -> BaseFileLock:
    """Return the lock beside *file*, taken."""
    from filelock import FileLock, Timeout  # here, as loading it takes time, and few programs need it

    if not os.path.isdir(os.path.dirname(file)):  # not created: the name may be mistyped
        raise StorageError(f"the remember file {file!r}: there is no such folder; make it first")
    # not tied to a thread, as another thread than this one may close the file
    lock = FileLock(f"{file}.lock", thread_local=False, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RememberInUse(
            f"the remember file {file!r} is in use by {_holder(file)}: one subscription at a time remembers in it. End that "
            "one first, or give this one a file of its own"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise StorageError(f"locking {lock.lock_file!r}: {getattr(error, 'strerror', None) or error}") from error
    return lock


def _holder(file: str) -> str:
    """Say who holds *file*, by what is written in it."""
    pid: object = None
    with contextlib.suppress(OSError, StorageError, ValueError):
        pid = _newest(FilePath(file).read_bytes(), file)[2].get("pid")
    if pid == os.getpid():
        return f"another subscription of this process (process id {pid})"
    return "another process" if pid is None else f"process {pid}"


_held: weakref.WeakSet[Remembered] = weakref.WeakSet()
_forks_are_watched = False


def _watch_forks(remembered: Remembered) -> None:
    global _forks_are_watched
    _held.add(remembered)
    # registered now, and not when this module is imported: in a child, filelock's function has to be called before ours
    if not _forks_are_watched and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_leave_all)
    _forks_are_watched = True


def _leave_all() -> None:
    for remembered in list(_held):
        remembered._leave()


# --- what is in it ----------------------------------------------------------------------------------------------------


def _encode(number: int, state: dict[str, Any]) -> bytes:
    body = json_text.dumps(state)
    return b"%s%d %d %d %s\n%s" % (_MAGIC, _VERSION, number, len(body), _digest(number, body), body)


def _digest(number: int, body: bytes) -> bytes:
    return hashlib.blake2b(b"%d %s" % (number, body), digest_size=16).hexdigest().encode()


def _decode(slot: bytes) -> tuple[int, dict[str, Any]] | None:
    """Return the number and the state in a slot; `None` if it is torn, or has never been written."""
    header, newline, rest_of_it = slot[:_HEADER].partition(b"\n")
    words = header.removeprefix(_MAGIC).split(b" ")
    if not newline or not header.startswith(_MAGIC) or len(words) != 4 or words[0] != b"%d" % _VERSION:
        return None
    try:
        number, length = int(words[1]), int(words[2])
    except ValueError:
        return None
    begin = len(header) + 1
    body = slot[begin : begin + length]
    if len(body) != length or words[3] != _digest(number, body):
        return None
    state = json_text.loads(body)
    return (number, state) if isinstance(state, dict) else None


def _newest(content: bytes, file: str) -> tuple[int, int, dict[str, Any]]:
    """
    Return which slot of a file's *content* counts, its number and its state.

    Raises:
        StorageError: It is another kind of file, or of a later version.
        StorageDamaged: Neither slot is as it was written.
    """
    size = len(content) // 2
    slots = (content[:size], content[size:])
    # if the file was cut, the newer slot may be gone, so the other one must not count
    is_whole = size >= _SLOT and size & (size - 1) == 0 and len(content) == 2 * size
    found = [(state, at) for at, state in enumerate(map(_decode, slots)) if is_whole and state is not None]
    if found:
        (number, state), at = max(found, key=lambda one: one[0][0])
        return at, number, state
    versions = [slot[len(_MAGIC) :].split(b" ", 1)[0] for slot in slots if slot.startswith(_MAGIC)]
    if any(version.isdigit() and int(version) > _VERSION for version in versions):
        raise StorageError(f"{file!r} was written by a newer version of connectordb; use that one")
    if versions:
        raise StorageDamaged(
            f"the remember file {file!r} is damaged, and what it remembered is lost. Look at what has been handled, then "
            "remove it to begin anew"
        )
    raise StorageError(f"{file!r} is no remember file; give the name of one, or of none that is there")


def _opened(file: str) -> int:
    try:
        return os.open(file, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise StorageError(f"opening the remember file {file!r}: {error.strerror}") from error


def _read(descriptor: int) -> bytes:
    pieces = []
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)
