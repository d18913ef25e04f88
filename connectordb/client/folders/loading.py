"""
Loads what was saved into a server, so that it can be continued after a break.

First everything is looked at, the folder and what the server already has, and conflicts are reported before anything is created.
Whatever exists and is equal is skipped; that is how a load is continued. At the end everything is read back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ...exceptions import LocalProtocolError, RemoteProtocolError
from ...protocol import exports, json_text
from ...protocol.doubts import accept
from ...protocol.json_arrays import elements
from ...protocol.points import Datapoint
from ..device import Device
from ..long_stream import PAGE
from ..stream import Stream
from ..user import User
from ..whole_server import WholeServer
from .export_folder import check_device, check_stream, check_version, folders, known, named
from .saving import Progress

#: How many bytes of a file are read at a time, and how many a point may have.
_BLOCK, _LONGEST = 1 << 16, 1 << 24


@dataclass(slots=True)
class Loaded:
    """
    What a load has created, without what existed already.

    Attributes:
        users: The number of users.
        devices: The number of devices, without those that every user has from the start.
        streams: The number of streams.
        points: The number of points stored, including those of downlinks.
        present: The number of points that existed already.
        notes: What the user should know, a sentence each.
    """

    users: int = 0
    devices: int = 0
    streams: int = 0
    points: int = 0
    present: int = 0
    notes: list[str] = field(default_factory=list)


def load(
    cdb: WholeServer,
    directory: str | os.PathLike[str],
    below: User | Device | None = None,
    *,
    passwords: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """
    Load an export of users, of a device, or of a stream into the server. A load that was broken off is continued.

    Whatever exists and is equal is skipped; if something exists and differs, nothing is changed at all. The exception is the device
    ``user`` of an existing user, which gets the exported properties, but for the key. The device ``meta`` is the server's own, and is
    left out.

    Args:
        cdb: The connection.
        directory: The folder of the export.
        below: The user to whom a device shall belong, or the device to which a stream shall belong; by default those of *cdb*.
        passwords: User name → password, as an export from a client holds none. Without it, each new user gets its name as password.
        progress: Called now and then with what is being done, how many points are done, and how many there are (0 if unknown).

    Raises:
        LocalProtocolError: The export is not complete, or something different exists already; nothing was changed.
        RemoteProtocolError: The server has other points than those that were sent to it.

    Calls: ``GET crud/<path>`` for all of it. Existing points are compared first, page by page, and new ones afterwards.
    """
    work, folder = Loading(passwords, progress), Path(directory)
    if (folder / exports.ABOUT).exists():
        work.look_at_users(cdb, folder)
    elif (folder / exports.OBJECT["device"]).exists():
        work.look_at_device(_of_kind(below, User, "a device goes below a user") or cdb.user, folder)
    elif (folder / exports.OBJECT["stream"]).exists():
        work.look_at_stream(_of_kind(below, Device, "a stream goes below a device") or cdb, folder)
    else:
        raise LocalProtocolError(
            f"{str(folder)!r} is no whole export: it has none of {exports.ABOUT}, {', '.join([*exports.OBJECT.values()][1:])}"
        )
    return work.run()


@dataclass(slots=True)
class _Series:
    """
    The points of a stream, or of its downlink.

    Attributes:
        stream: The stream.
        downlink: Whether these are the points of its downlink.
        file: The file that contains the points.
        length: The number of points in it; known after `survey`.
        ordered: Whether they are in order of time there; known after `survey`.
        present: How many of them the server already has.
    """

    stream: Stream
    downlink: bool
    file: Path
    length: int = 0
    ordered: bool = True
    present: int = 0

    def survey(self) -> None:
        """
        Read the file once.

        Raises:
            LocalProtocolError: Something in it is no datapoint.
        """
        before = float("-inf")
        for point in self._read():
            self.ordered &= before <= point["t"]
            before = point["t"]
            self.length += 1

    def points(self, start: int) -> Iterator[Datapoint]:
        """Return the points from index *start* on, in order of time, which the files of some old exports are not."""
        found: Iterator[Datapoint] = self._read()
        if not self.ordered:
            found = iter(sorted(found, key=lambda point: float(point["t"])))
        return islice(found, start, None)

    def _read(self) -> Iterator[Datapoint]:
        with self.file.open("rb") as file:
            found = elements(iter(partial(file.read, _BLOCK), b""), _LONGEST)
            number = 0
            while True:
                try:
                    point, _ = next(found)
                    if not isinstance(point, dict) or type(point.get("t", 0.0)) not in (int, float):
                        raise ValueError("something else than a datapoint")
                except StopIteration:
                    return
                except ValueError as error:
                    raise LocalProtocolError(f"{str(self.file)!r}: at {number}: {error}") from error
                yield {"t": point.get("t", 0.0), "d": point.get("d")}
                number += 1

    def compare(self, start: int) -> int:
        """
        Compare the points with those on the server, from index *start* on, and return the index after the last one on both sides.

        Raises:
            LocalProtocolError: A point on the server differs.
        """
        number, mine = start, self.points(start)
        length = min(self.stream.length(self.downlink), self.length)
        pages = self.stream.pages(PAGE, i1=start, i2=length, downlink=self.downlink) if start < length else ()
        for page in pages:
            for theirs, own in zip(page, mine, strict=False):
                if _comparable(theirs) != _comparable(own):
                    raise LocalProtocolError(
                        f"{self.stream.path}: its point at index {number} is another one than in {str(self.file)!r}"
                    )
                number += 1
        return number


def _comparable(point: Datapoint) -> tuple[float, Any]:
    return float(point.get("t", 0.0)), json_text.comparable(point["d"])


class Loading:
    """
    One load. The methods ``look_at_…`` find out what has to be done, and `run` does it.

    Args:
        passwords: As for `load`.
        progress: As for `load`.
        new: Whether everything has to be new: then anything that exists is refused, equal or not, and the device ``user`` gets the
            exported key, too.
    """

    def __init__(
        self, passwords: Mapping[str, str] | None = None, progress: Progress | None = None, *, new: bool = False
    ) -> None:
        self._passwords = passwords
        self._progress = progress or (lambda what, done, all: None)
        self._new = new
        self._steps: list[Callable[[], None]] = []
        self._conflicts: list[str] = []
        self._loaded = Loaded()
        self._all = 0

    def run(self) -> Loaded:
        """
        Do what was found to be done.

        Raises:
            LocalProtocolError: Something different exists already; nothing was changed.
        """
        if self._conflicts:
            raise LocalProtocolError(f"nothing was changed: {'; '.join(self._conflicts)}")
        for step in self._steps:
            step()
        return self._loaded

    # --- looking ------------------------------------------------------------------------------------------------------

    def look_at_users(self, cdb: WholeServer, root: Path) -> None:
        """
        Look at the users of an export.

        Raises:
            LocalProtocolError: The folder is no complete export, or its version is not supported.
        """
        check_version(root, exports.READABLE)
        found = folders(root, "user")
        if not found:
            raise LocalProtocolError(f"{str(root)!r} holds no user")
        for folder in found:
            self._look_at_user(cdb(named(folder, "user")["name"]), folder)

    def _look_at_user(self, user: User, folder: Path) -> None:
        fields = known("user", named(folder, "user"))
        there = self._is_there(user, fields, ("password",))
        if not there:
            if not fields.get("email"):
                raise LocalProtocolError(f"{str(folder)!r}: the export does not hold the user's email address")
            if self._passwords is not None and user.name not in self._passwords:
                raise LocalProtocolError(f"there is no password for the user {user.name!r}")
            self._steps.append(partial(self._make_user, user, fields))
        for device in folders(folder, "device"):
            self.look_at_device(user, device, there)

    def look_at_device(self, user: User, folder: Path, may_be_there: bool = True) -> None:
        """As `look_at_users`, for the export of a device that shall belong to *user*."""
        exported = check_device(folder)
        if exported["name"] == "meta":
            return
        device = user[exported["name"]]
        fields = {name: value for name, value in known("device", exported).items() if name != "apikey" or value}
        if device.name == "user":
            self._steps.append(partial(self._take_over, device, fields, may_be_there))
            there = may_be_there
        else:
            there = may_be_there and self._is_there(device, fields, ("apikey",))
            if not there:
                self._steps.append(partial(self._make_device, device, fields))
            elif "apikey" in _different(device, fields):
                self._keeps_its_key(device)
        for stream in folders(folder, "stream"):
            self.look_at_stream(device, stream, there)

    def look_at_stream(self, device: Device, folder: Path, may_be_there: bool = True) -> None:
        """As `look_at_users`, for the export of a stream that shall belong to *device*."""
        exported = check_stream(folder)
        stream, fields = device[exported["name"]], known("stream", exported)
        series = [_Series(stream, False, folder / exports.DATA)]
        if fields.get("downlink"):
            series.append(_Series(stream, True, folder / exports.DOWNLINK))
        there = may_be_there and self._exists(stream)
        if there and not _is_bare(stream):
            self._note_conflict(stream, fields, ())
        for each in series:
            self._progress(f"looking at {stream.path}", 0, 0)
            each.survey()
            if there and (stream.downlink or not each.downlink):
                try:
                    each.present = each.compare(0)
                except LocalProtocolError as error:
                    self._conflicts.append(str(error))
            self._loaded.present += each.present
            self._all += each.length - each.present
        self._steps.append(partial(self._make_stream, device, stream, fields, series, there))

    def _is_there(self, thing: User | Device, fields: Mapping[str, Any], apart_from: tuple[str, ...]) -> bool:
        there = self._exists(thing)
        if there:
            self._note_conflict(thing, fields, apart_from)
        return there

    def _exists(self, thing: User | Device | Stream) -> bool:
        there = thing.exists()
        if there and self._new:
            raise LocalProtocolError(f"{thing!r} is there already; an import makes new objects only. Delete it first")
        return there

    def _note_conflict(
        self, thing: User | Device | Stream, fields: Mapping[str, Any], apart_from: tuple[str, ...]
    ) -> None:
        different = [name for name in _different(thing, fields) if name not in apart_from]
        if different:
            self._conflicts.append(f"{thing.path} is there already, with another {', '.join(different)}")

    # --- making -------------------------------------------------------------------------------------------------------

    def _make_user(self, user: User, fields: Mapping[str, Any]) -> None:
        user.create(**{**fields, "password": user.name if self._passwords is None else self._passwords[user.name]})
        if self._passwords is None:
            self._loaded.notes.append(f"the password of {user.name} is {user.name!r} now, as an export holds none")
        self._loaded.users += 1

    def _take_over(self, device: Device, fields: Mapping[str, Any], was_there: bool) -> None:
        """Give a device that every user has the exported properties; but not the key, if its present one may be in use."""
        device.refresh()
        changes = _different(device, fields)
        if was_there and not self._new and changes.pop("apikey", None):
            self._keeps_its_key(device)
        if changes:
            device.set(changes)

    def _keeps_its_key(self, device: Device) -> None:
        self._loaded.notes.append(f"{device.path} keeps its API key, which is another one than in the export")

    def _make_device(self, device: Device, fields: Mapping[str, Any]) -> None:
        device.create(**{name: value for name, value in fields.items() if name != "public"})
        if fields.get(
            "public"
        ):  # a private user's device cannot be created as public, but can be made public afterwards
            device.set({"public": True})
        self._loaded.devices += 1

    def _make_stream(
        self, device: Device, stream: Stream, fields: Mapping[str, Any], series: list[_Series], there: bool
    ) -> None:
        lacking = [each for each in series if each.present < each.length]
        # points of a stream have to come from its own device, and those of its downlink from another
        with device._logged_in() if any(not each.downlink for each in lacking) else nullcontext(device) as own:
            if not there:
                stream.create()  # without the schema: some points may be older than it, and may not fit it
                self._loaded.streams += 1
            if len(series) > 1 and not stream.downlink:
                stream.set({"downlink": True})
            for each in lacking:
                self._insert(each, stream._view_of_downlink() if each.downlink else own[stream.name])
        stream.refresh()
        if changes := _different(stream, fields):
            stream.set(changes)

    def _insert(self, series: _Series, sequence: Stream) -> None:
        sequence._insert_points(self._counted(series), False, accept)
        self._progress(f"reading {series.stream.path} back", 0, 0)
        try:
            came_to = series.compare(series.present)
        except LocalProtocolError as error:
            raise RemoteProtocolError(str(error)) from error
        if came_to < series.length:
            raise RemoteProtocolError(f"{series.stream.path}: only {came_to} of {series.length} points are there")

    def _counted(self, series: _Series) -> Iterator[Datapoint]:
        for point in series.points(series.present):
            yield point
            self._loaded.points += 1
            if self._loaded.points % 1000 == 0:
                self._progress(series.stream.path, self._loaded.points, self._all)


def _of_kind(below: User | Device | None, kind: type[Any], otherwise: str) -> Any:
    if below is not None and not isinstance(below, kind):
        raise LocalProtocolError(f"{below.path!r}: {otherwise}")
    return below


def _is_bare(stream: Stream) -> bool:
    """Tell whether a stream has no properties yet, as a load creates it first, and may have been broken off then."""
    return not stream.schema and not any((stream.nickname, stream.description, stream.icon, stream.datatype))


def _different(thing: User | Device | Stream, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in which an object differs; those that the server does not show count as equal."""
    return {
        name: value
        for name, value in fields.items()
        if name in thing.data and _normalized(name, thing.data[name]) != _normalized(name, value)
    }


def _normalized(name: str, value: Any) -> Any:
    return json_text.loads(value or "{}") if name == "schema" and isinstance(value, str) else value
