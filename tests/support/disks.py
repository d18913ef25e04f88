"""
Disks that misbehave on purpose: one that loses what was not flushed when the power is cut, one that is full.

Both act below SQLite, in the process that has the database open. The first stands between SQLite and its files (a VFS of
apsw), and keeps beside each file what of it would be on the disk. The second replaces the system call by which SQLite writes,
for the file, the log and the index in shared memory alike.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import random
import struct
import threading
from pathlib import Path
from typing import Any

import apsw

#: What a disk writes whole or not at all.
_SECTOR = 512
_BLOCK = 16 * _SECTOR

#: What belongs to a database, by what its file's name ends with. The index in shared memory goes with the power.
_KEPT = ("", "-wal", "-journal")
_LOST = "-shm"


class LossyDisk(apsw.VFS):
    """
    Keeps in the folder *durable* what each file would have on the disk if the power were cut now.

    Nothing is really flushed: whoever is killed (the processes, that is, not the machine) leaves both folders as they were.
    While it is registered it is where SQLite opens every file of this process.

    Args:
        durable: A folder that holds the files of the database as they are on the disk: the same as in its own, to begin with.
    """

    def __init__(self, durable: Path, name: str = "lossy") -> None:
        self.durable = durable
        self.base = apsw.vfs_names()[0]
        #: Whether flushing fails, as with a disk that is broken.
        self.broken = False
        # guards those below
        self.lock = threading.Lock()
        self.states: dict[str, _State] = {}
        self.deleted: set[str] = set()
        super().__init__(name, self.base, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        """Open a file; what has no name is nobody's to keep."""
        if name is None:
            return apsw.VFSFile(self.base, name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        durable = self.durable / os.path.basename(path)
        new = not os.path.exists(path) or not durable.exists()
        file = _LossyFile(self, path, name, flags)
        with self.lock:
            if path not in self.states:
                self.states[path] = _State(durable, whole=new)
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Delete a file; on the disk its name goes with the next flush of the folder."""
        super().xDelete(filename, syncdir)
        with self.lock:
            self.states.pop(filename, None)
            self.deleted.add(os.path.basename(filename))
            if syncdir:
                self.flush_names()

    def flush_names(self) -> None:
        """Have the folder flushed; `lock` is held."""
        for name in self.deleted:
            (self.durable / name).unlink(missing_ok=True)
        self.deleted.clear()


class _State:
    """What was written to a file since it was flushed."""

    def __init__(self, durable: Path, whole: bool) -> None:
        self._durable = durable
        self._whole = whole  # it is new: on the disk there is nothing of it yet, or of another one by that name
        self.written: list[tuple[int, int]] = []

    def flush(self, disk: LossyDisk, file: apsw.VFSFile) -> None:
        """Bring to the disk what was written; killed in between, some of it is."""
        written, self.written = self.written, []
        if self._whole:
            disk.deleted.discard(self._durable.name)
            disk.flush_names()
            self._durable.write_bytes(b"")
        # read through SQLite's own descriptor: closing another one would take away its locks
        size = file.xFileSize()
        with open(self._durable, "r+b") as durable:
            for offset, length in [(0, size)] if self._whole else written:
                data = file.xRead(min(length, max(size - offset, 0)), offset)
                os.pwrite(durable.fileno(), data, offset)
            durable.truncate(size)
        self._whole = False


class _LossyFile(apsw.VFSFile):
    def __init__(self, disk: LossyDisk, path: str, name: Any, flags: list[int]) -> None:
        super().__init__(disk.base, name, flags)
        self._disk = disk
        self._path = path

    def _note(self, offset: int, length: int) -> None:
        with self._disk.lock:
            state = self._disk.states.get(self._path)
            if state is not None:
                state.written.append((offset, length))

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._note(offset, len(data))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._note(size, 0)

    def xSync(self, flags: int) -> None:
        if self._disk.broken:
            raise apsw.IOError("on purpose")
        with self._disk.lock:
            state = self._disk.states.get(self._path)
            if state is not None:
                state.flush(self._disk, self)


def cut_power(directory: Path, durable: Path, chance: random.Random) -> None:
    """
    Leave of the database's files in *directory*, whose processes have ended, what a power cut leaves.

    That is what was flushed, and of what was not any of its sectors: the disk may have written them or not, in any order.
    """
    for path in [*directory.iterdir(), *durable.iterdir()]:
        if path.name.endswith(_LOST):
            path.unlink()
    names = {path.name for folder in (directory, durable) for path in folder.iterdir() if ".db" in path.name}
    likely = chance.choice((0.0, 0.0, 0.1, 0.5, 0.9))
    for name in sorted(names):
        seen, flushed = directory / name, durable / name
        if not flushed.exists() and chance.random() >= likely:
            seen.unlink()  # its name had not got there yet
            continue
        if not seen.exists():
            # deleted, but not on the disk yet
            if chance.random() < likely:
                flushed.unlink()
                continue
            seen.write_bytes(flushed.read_bytes())
            continue
        _mix(seen, flushed.read_bytes() if flushed.exists() else b"", likely, chance)
        flushed.write_bytes(seen.read_bytes())


def _mix(seen: Path, flushed: bytes, likely: float, chance: random.Random) -> None:
    new = seen.read_bytes()
    if new == flushed:
        return
    size = len(new) if chance.random() < likely else len(flushed)
    mixed = bytearray(flushed[:size].ljust(size, b"\0"))
    for block in range(0, size if likely else 0, _BLOCK):
        if new[block : block + _BLOCK] == mixed[block : block + _BLOCK]:
            continue
        for at in range(block, min(block + _BLOCK, size), _SECTOR):
            part = new[at : min(at + _SECTOR, size)]
            if part and chance.random() < likely:
                mixed[at : at + len(part)] = part
    seen.write_bytes(mixed)


class Space:
    """
    How much space a disk has left; another process may set it, who has the same file.

    Args:
        path: A file that both have, or none for one process alone.
    """

    _FORMAT = struct.Struct("<qq")

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            self._shared = mmap.mmap(-1, self._FORMAT.size)
        else:
            if not path.exists():
                path.write_bytes(self._FORMAT.pack(-1, 0))
            with open(path, "r+b") as file:
                self._shared = mmap.mmap(file.fileno(), self._FORMAT.size)
        if path is None:
            self.free()

    def free(self) -> None:
        """Have space for everything."""
        self._FORMAT.pack_into(self._shared, 0, -1, 0)

    def leave(self, number: int, strict: bool = False) -> None:
        """Have space for so many bytes more; a *strict* disk counts what is written over something else too."""
        self._FORMAT.pack_into(self._shared, 0, number, strict)

    def take(self, wanted: int, growth: int) -> int:
        """Return how many of the bytes that somebody wants to write, some of them new, there is space for, and count them."""
        left, strict = self._FORMAT.unpack_from(self._shared, 0)
        if left < 0:
            return wanted
        need = wanted if strict else growth
        given = min(need, left)
        self._FORMAT.pack_into(self._shared, 0, left - given, strict)
        return wanted - (need - given)


class FullDisk:
    """
    Lets SQLite write no more than a `Space` has; what does not fit ends in ENOSPC, also in the middle of a write.

    It replaces the system call for all of the process, until `close`.

    Args:
        space: What there is.
        error: What the system says where there is none: another number makes a disk that is broken.
    """

    _CALL = ctypes.CFUNCTYPE(
        ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, use_errno=True
    )

    def __init__(self, space: Space, error: int = errno.ENOSPC) -> None:
        self._space = space
        self._error = error
        self._calls = apsw.VFS("for-its-system-calls", apsw.vfs_names()[0])
        found = [(name, self._calls.xGetSystemCall(name)) for name in ("pwrite64", "pwrite")]
        self._name, address = next(((name, at) for name, at in found if at), ("", 0))
        if not self._name:
            raise NotImplementedError("SQLite writes in another way on this system")
        self._real = self._CALL(address)
        self._ours = self._CALL(self._write)  # kept: SQLite knows its address only
        self._calls.xSetSystemCall(self._name, ctypes.cast(self._ours, ctypes.c_void_p).value or 0)

    @staticmethod
    def works() -> bool:
        """Tell whether there is such a system call here."""
        return os.name == "posix" and any(
            apsw.VFS("looking", apsw.vfs_names()[0]).xGetSystemCall(name) for name in ("pwrite64", "pwrite")
        )

    def close(self) -> None:
        """Let SQLite write as always."""
        self._calls.xSetSystemCall(self._name, 0)
        self._calls.unregister()

    def _write(self, descriptor: int, data: int, number: int, offset: int) -> int:
        # of the index one byte in each page is written, and the disk must have space for all of the page
        growth = max(0, offset + number - os.fstat(descriptor).st_size)
        given = self._space.take(number, growth)
        if given <= 0:
            ctypes.set_errno(self._error)
            return -1
        return int(self._real(descriptor, data, given, offset))
