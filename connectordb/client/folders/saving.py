"""
Saves a user, a device or a stream to a folder, in the format of ``exports``, so that it can be continued after a break.

Until the save is complete, it is in a folder beside the target, with ``.unfinished`` after its name. There each point has a line of
its own, so that a line cut short by a kill or a power cut is recognized. At the end everything is read back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from filelock import Timeout as LockTimeout

from ...exceptions import StorageError
from ...protocol import exports, json_text
from ...protocol.points import Datapoint
from ...runtime.durable import flush
from ..device import Device
from ..long_stream import PAGE
from ..stream import Stream
from ..user import User
from .export_folder import check_version

#: Called with what is being done, how many points are done, and how many there are in all.
Progress = Callable[[str, int, int], object]

#: How many bytes of a file are read at a time.
_BLOCK = 1 << 20

#: The suffix of a folder, or a file of points, until it is complete.
UNFINISHED = ".unfinished"
_LOCK = "unfinished.lock"


@dataclass(slots=True)
class Saved:
    """
    What was saved.

    Attributes:
        devices: The number of devices.
        streams: The number of streams.
        points: The number of points, including those of downlinks.
        kept: How many of these points an earlier, unfinished save had written.
    """

    devices: int = 0
    streams: int = 0
    points: int = 0
    kept: int = 0


def save(thing: User | Device | Stream, directory: str | os.PathLike[str], progress: Progress | None = None) -> Saved:
    """
    Write a user, a device or a stream into a folder, as its ``export`` does; a save that was broken off is continued.

    The points of each stream are those that it has at the beginning. All that is written is flushed to the disk, and read back.

    Args:
        thing: What to save.
        directory: A new folder; for a user, the folder that holds a folder for each user.
        progress: Called now and then with what is being saved, how many points are saved, and how many there are in all.

    Raises:
        FileExistsError: The target exists already, or another process is saving to it.
        StorageError: What was written is read back differently.

    Calls: ``GET crud/<path>`` for everything below; for each stream ``GET crud/<path>/data``, its length and its pages.
    """
    target = target_of(thing, Path(directory))
    thing.refresh()
    with _unfinished(target) as folder:
        saved = Saving(progress).write(thing, folder)
    write_about(thing, target)
    return saved


def target_of(thing: User | Device | Stream, directory: Path) -> Path:
    """
    Return the folder that is to hold *thing* itself.

    Raises:
        FileExistsError: Something is there already.
    """
    target = directory
    if isinstance(thing, User):
        target = directory / thing.name
        if (directory / exports.ABOUT).exists():
            check_version(directory, (exports.VERSION,))
        elif directory.exists() and {*os.listdir(directory)} - {target.name + UNFINISHED}:
            raise FileExistsError(f"{str(directory)!r} is there already, and is no export; name a new folder")
    if os.path.lexists(target):
        raise FileExistsError(f"{str(target)!r} is there already; an export makes a new folder")
    return target


def write_about(thing: User | Device | Stream, target: Path) -> None:
    """For a user, write the file that describes an export of users; exports of devices and streams have none."""
    if isinstance(thing, User):
        _write(target.parent / exports.ABOUT, exports.about())


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Yield the unfinished folder, which becomes *target* at the end, and stays as it is if there is an error."""
    folder = target.with_name(target.name + UNFINISHED)
    for each in (target.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)  # for the owner only: it will contain API keys
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except LockTimeout as error:
        raise FileExistsError(f"{str(folder)!r} is being written by somebody else") from error
    with lock:
        yield folder
        (folder / _LOCK).unlink(missing_ok=True)
        folder.rename(target)
        flush(target.parent)


class Saving:
    """
    Writes objects into a folder, as far as they are not there yet.

    Args:
        progress: As for `save`.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress or (lambda what, done, all: None)
        self._saved = Saved()
        self._lengths: dict[tuple[str, bool], int] = {}
        self._all = 0

    def write(self, thing: User | Device | Stream, folder: Path) -> Saved:
        """Write *thing*, whose metadata were fetched, into an existing folder."""
        devices = thing.devices() if isinstance(thing, User) else [thing] if isinstance(thing, Device) else []
        streams = {device.path: device.streams() for device in devices}
        series = [each for found in (*streams.values(), [thing] if isinstance(thing, Stream) else []) for each in found]
        self._lengths = {
            (stream.path, downlink): stream.length(downlink)
            for stream in series
            for downlink in ((False, True) if stream.downlink else (False,))
        }
        self._all = sum(self._lengths.values())
        if isinstance(thing, User):
            for device in devices:
                self._device(device, streams[device.path], _below(folder, device.name))
            self._object(folder, "user", thing.data, {device.name for device in devices})
        elif isinstance(thing, Device):
            self._device(thing, streams[thing.path], folder)
        else:
            self._stream(thing, folder)
        return self._saved

    def _device(self, device: Device, streams: list[Stream], folder: Path) -> None:
        for stream in streams:
            self._stream(stream, _below(folder, stream.name))
        self._object(folder, "device", device.data, {stream.name for stream in streams})
        self._saved.devices += 1

    def _stream(self, stream: Stream, folder: Path) -> None:
        files = {exports.DATA: False, **({exports.DOWNLINK: True} if stream.downlink else {})}
        for name, downlink in files.items():
            self._points(stream, downlink, folder / name)
        self._object(folder, "stream", stream.data, {*files})
        self._saved.streams += 1

    def _object(self, folder: Path, kind: str, fields: dict[str, Any], wanted: set[str]) -> None:
        """
        Write the metadata of an object, which completes its folder.

        Whatever is in the folder and not *wanted* is removed: an earlier save wrote it, and it has been deleted since.
        """
        for path in folder.iterdir():
            if path.name in wanted or path.name == _LOCK:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        _write(folder / exports.OBJECT[kind], fields)
        flush(folder)

    def _points(self, stream: Stream, downlink: bool, file: Path) -> None:
        """Write the points of a stream or its downlink, after those that an earlier save has written."""
        length = self._lengths[stream.path, downlink]
        part = file.with_name(file.name + UNFINISHED)
        if file.exists():
            _reopen(file, part)
        kept = _kept(part)
        if kept and not self._is_the_same(stream, downlink, part, kept, length):
            part.unlink()
            kept = 0
        self._count(stream, kept)
        self._saved.kept += kept
        with part.open("ab") as out:
            pages = stream.pages(PAGE, i1=kept, i2=length, downlink=downlink) if kept < length else ()
            number = kept
            for page in pages:
                out.writelines(_line(point, number + at) for at, point in enumerate(page))
                number += len(page)
                self._count(stream, len(page))
        self._progress(f"reading {stream.path} back", 0, 0)
        _check(part, length)
        with part.open("rb+") as out:
            if length:
                out.seek(-2, os.SEEK_END)
            out.write(b"]" if length else b"[]")
            out.truncate()
        flush(part)
        part.rename(file)

    def _is_the_same(self, stream: Stream, downlink: bool, part: Path, kept: int, length: int) -> bool:
        """Tell whether the last point of the earlier save is still in the stream, which may have been created anew since."""
        if kept > length:
            return False
        with part.open("rb") as file:
            file.seek(max(0, part.stat().st_size - _BLOCK))
            last = file.read().rstrip(b",\n").rpartition(b"\n")[2]
        try:
            point = json_text.loads(last.removeprefix(b"["))
        except ValueError:  # the point is longer than a block
            return False
        return bool(stream(i1=kept - 1, i2=kept, downlink=downlink) == [{"d": None, **point}])

    def _count(self, stream: Stream, more: int) -> None:
        self._saved.points += more
        self._progress(stream.path, self._saved.points, self._all)


def _write(file: Path, content: Any) -> None:
    """Write a JSON file of an export, and flush it to the disk."""
    file.write_bytes(json_text.dumps(content))
    flush(file)


def _below(folder: Path, name: str) -> Path:
    below = folder / name
    below.mkdir(mode=0o700, exist_ok=True)
    return below


def _line(point: Datapoint, number: int) -> bytes:
    # nulls are left out, as on the wire
    shown = {name: value for name, value in point.items() if not (name == "d" and value is None)}
    return (b"" if number else b"[") + json_text.dumps(shown) + b",\n"


def _reopen(file: Path, part: Path) -> None:
    """Make a complete file of points unfinished again, so that points can be added."""
    file.rename(part)
    if part.stat().st_size == len(b"[]"):
        part.unlink()
        return
    with part.open("rb+") as out:
        out.seek(-1, os.SEEK_END)
        out.write(b",\n")


def _kept(part: Path) -> int:
    """Return the number of points in an unfinished file, after cutting off an incomplete line at its end."""
    if not part.exists():
        return 0
    number = end = at = 0
    with part.open("rb+") as file:
        while block := file.read(_BLOCK):
            if lines := block.count(b"\n"):
                number += lines
                end = at + block.rindex(b"\n") + 1
            at += len(block)
        file.truncate(end)
    return number


def _check(part: Path, length: int) -> None:
    """
    Read a file of points back, before it is completed.

    Raises:
        StorageError: It does not contain *length* points in order of time.
    """
    number, before = 0, float("-inf")
    try:
        with part.open("rb") as file:
            for line in file:
                point = json_text.loads(line[:-2] if number else line[1:-2])
                before, last = point.get("t", 0.0), before
                if before < last:
                    raise ValueError("not in order")
                number += 1
        if number != length:
            raise ValueError(f"{number} points instead of {length}")
    except (ValueError, AttributeError, TypeError) as error:
        part.unlink()
        raise StorageError(
            f"{str(part)!r} does not contain what was written to it ({error}), and was removed; save again to read these points once more"
        ) from error
