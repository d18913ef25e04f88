"""
Import: reading an export into a database whose server is stopped, or into a new database.

First everything is checked: the files, the points, and what the database has already. Whatever is wrong or in conflict is reported
before anything is written. What the database has already, and is equal, is skipped. So an import that was killed can be run again,
and goes on where it stopped: a user is made with all devices and streams in one transaction, and points are appended to those
that are there.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ...exceptions import LocalProtocolError, StorageError
from ...protocol import json_text
from ...protocol.points import Datapoint
from .. import database
from ..progress import Progress, untold
from ..refusal import Refusal
from ..rights.accounts import USER_DEVICE, new_apikey
from ..rights.passwords import fits_none, hash_password, verify_password
from ..storage import Device, Older, Reader, Series, SQLiteStorage, Storage, Stream, Taken, User, Writer
from ..tree import ADMIN, META_DEVICE, create_user
from ..values import compact_schema
from .folder import Findings, FoundDevice, FoundStream, FoundUser, read_folder
from .points import Survey, batches, first_difference, in_order, survey

#: How many bytes of stored points are compared at once.
_PAGE = 1024 * 1024

#: How many writes are handed to the storage before the first is waited for, so that reading goes on while it flushes.
_AHEAD = 2

#: What to do about a conflict, for messages.
_ADVICE = "import into a folder that is not there, or remove what is in the way (`connectordb user DIR remove`)"


@dataclass(slots=True)
class Imported:
    """
    What was imported. Only `present` counts what was there already.

    Attributes:
        users: How many users were made.
        devices: How many devices were made, including those that every user has.
        streams: How many streams were made.
        points: How many points were stored, including those of downlinks.
        present: How many points were there already.
        warnings: What people should know about, each as a sentence.
    """

    users: int = 0
    devices: int = 0
    streams: int = 0
    points: int = 0
    present: int = 0
    warnings: list[str] = field(default_factory=list)


def import_database(
    directory: str | os.PathLike[str],
    export: str | os.PathLike[str],
    *,
    only: tuple[str, ...] = (),
    locked: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """
    Read an export of a whole server, or of users by a client, into a database. If it is run again, it goes on where it stopped.

    Args:
        directory: The database's folder, which no server has open. If it does not exist, a database with nothing but the export
            is made.
        export: The folder of the export, of version 1 or 2.
        only: The names of the users to import; without any, all.
        locked: What to do with users in an export by a client, which has no passwords. If true, they cannot log in by password;
            if false, their password is their name, as on a 0.3 server.
        progress: Called now and then.

    Raises:
        DatabaseInUse: A server has the folder open.
        LocalProtocolError: The export is damaged, incomplete, or in conflict with the database; nothing was changed.
        StorageError: The folder cannot be read or written.
    """
    doing = f"importing {os.fspath(export)!r}"
    findings = Findings()
    users = read_folder(export, findings, only)
    findings.refuse(doing)
    work = _Import(users, locked, progress)
    work.survey(findings)
    findings.refuse(doing)
    if not os.path.lexists(directory):
        _make_empty(Path(directory).absolute())
    with database.open(directory) as opened:
        work.compare(opened.storage, findings, opened.directory)
        findings.refuse(doing)
        return work.run(opened.storage, opened.directory)


def _make_empty(path: Path) -> None:
    with database.built(path) as building:
        SQLiteStorage(building / database.FILE, readers=1).close()


class _Import:
    """One import: the users to import, and what was found out about them so far."""

    def __init__(self, users: list[FoundUser], locked: bool, progress: Progress | None) -> None:
        self._users = users
        self._locked = locked
        self._tell = progress or untold
        self._surveys: dict[Path, Survey] = {}
        #: How many points of each file are in the database already.
        self._present: dict[Path, int] = {}
        self._all = 0
        self._read = 0
        self._done = Imported()

    # --- checking ---

    def survey(self, findings: Findings) -> None:
        """Check all that is in the export. The database is not opened for this."""
        files = [(stream, path) for stream in self._streams() for _, path in stream.series()]
        self._all = sum(path.lstat().st_size for _, path in files)
        for stream in self._streams():
            stream.fields["schema"] = self._schema(stream)
        for stream, path in files:
            try:
                found = self._surveys[path] = survey(path, partial(self._count, "checking"))
            except (OSError, ValueError) as error:
                findings.add(path, getattr(error, "strerror", None) or str(error))
                continue
            if not found.ordered:
                self._done.warnings.append(f"{stream.path}: its points were not in order of time, and were sorted")
        for user in self._users:
            if user.password is not None and fits_none(user.password):
                self._done.warnings.append(
                    f"{user.name}: no password fits what the export says of it; give a new one (connectordb user)"
                )
        self._read = 0

    def _schema(self, stream: FoundStream) -> str:
        text: str = stream.fields["schema"]
        try:
            return compact_schema(text)
        except Refusal as refusal:
            self._done.warnings.append(
                f"{stream.path}: its schema cannot be used here, so nothing can be inserted until it has another: {refusal}"
            )
            return text

    def _streams(self) -> Iterator[FoundStream]:
        for user in self._users:
            for device in user.devices:
                yield from device.streams

    def _count(self, what: str, number: int) -> None:
        self._read += number
        self._tell(what, self._read, self._all)

    # --- comparing ---

    def compare(self, storage: Storage, findings: Findings, space: Path) -> None:
        """Compare the export with what is in the database already, which must be equal."""
        storage.read(lambda reader: self._compare_objects(reader, findings)).result()
        for stream in self._streams():
            for downlink, path in stream.series():
                self._present[path] = self._compare_points(storage, stream, downlink, path, findings, space)

    def _compare_objects(self, reader: Reader, findings: Findings) -> None:
        emails = {user.email: user.name for user in reader.users()}
        for user in self._users:
            there = reader.find((user.name,)).user
            if there is None:
                if other := emails.get(user.fields["email"]):
                    findings.add(user.name, f"the user {other!r} has its email address already; {_ADVICE}")
            else:
                different = _different(there, user.fields)
                if not self._same_password(user, there.password):
                    different.append("password")
                _told_apart(user.name, different, findings)
            for device in user.devices:
                self._compare_device(reader, user, device, findings)

    def _same_password(self, user: FoundUser, stored: str) -> bool:
        if user.password is not None:
            return user.password == stored
        return stored == "" if self._locked else verify_password(user.name, stored)

    def _compare_device(self, reader: Reader, user: FoundUser, device: FoundDevice, findings: Findings) -> None:
        there = reader.find((user.name, device.fields["name"])).device
        owner = reader.find_key(device.fields["apikey"])
        if owner is not None and (there is None or owner[1].id != there.id):
            findings.add(device.path, f"{owner[0].name}/{owner[1].name} has its API key already; {_ADVICE}")
        if there is not None:
            _told_apart(device.path, _different(there, device.fields), findings)
            for stream in device.streams:
                found = reader.find((user.name, device.fields["name"], stream.fields["name"])).stream
                if found is not None:
                    _told_apart(stream.path, _different(found, stream.fields), findings)

    def _compare_points(
        self, storage: Storage, stream: FoundStream, downlink: bool, path: Path, findings: Findings, space: Path
    ) -> int:
        """Return how many points of a file are in the database already."""
        series = storage.read(lambda reader: _series(reader, stream, downlink)).result()
        length = storage.read(lambda reader: reader.length(series)).result() if series else 0
        if series is None or not length:
            return 0
        found = self._surveys[path]
        with (
            _as_surveyed(path),
            in_order(path, found, space, lambda number: None) as points,
            closing(_stored(storage, series)) as stored,
        ):
            index = first_difference(points, stored)
        if index is not None:
            what = " of its downlink" * downlink
            findings.add(stream.path, f"from index {index} on it has other points{what} than the export; {_ADVICE}")
        return min(length, found.number)

    # --- writing ---

    def run(self, storage: Storage, space: Path) -> Imported:
        """Write what is not in the database yet."""
        for user in self._users:
            self._tell(user.name, self._read, self._all)
            self._write_user(storage, user)
            for device in user.devices:
                for stream in device.streams:
                    for downlink, path in stream.series():
                        self._write_points(storage, stream, downlink, path, space)
        if not any(user.role == ADMIN for user in storage.read(lambda reader: reader.users()).result()):
            self._done.warnings.append(
                f"there is no administrator; give somebody the role (connectordb user DIR role NAME {ADMIN})"
            )
        return self._done

    def _write_user(self, storage: Storage, user: FoundUser) -> None:
        there = storage.read(lambda reader: reader.find((user.name,)).user).result()
        password = there.password if there else user.password
        if password is None:
            password = "" if self._locked else hash_password(user.name)
            self._done.warnings.append(
                f"{user.name}: the export has no password; "
                + ("give one (connectordb user)" if self._locked else "it is the user's name now: change it")
            )
        try:
            users, devices, streams = storage.write(lambda writer: _make_user(writer, user, password)).result()
        except Taken as taken:
            raise LocalProtocolError(f"importing {user.name!r}: {taken}; {_ADVICE}") from taken
        self._done.users += users
        self._done.devices += devices
        self._done.streams += streams

    def _write_points(self, storage: Storage, stream: FoundStream, downlink: bool, path: Path, space: Path) -> None:
        present, found = self._present[path], self._surveys[path]
        self._done.present += present
        if present == found.number:
            self._count(stream.path, path.lstat().st_size)
            return
        series = storage.read(lambda reader: _series(reader, stream, downlink)).result()
        assert series is not None  # it was made with its user
        under_way: deque[Future[int]] = deque()
        at = present
        with _as_surveyed(path), in_order(path, found, space, partial(self._count, stream.path)) as points:
            for batch in batches(points, present):
                while len(under_way) >= _AHEAD:
                    self._done.points += under_way.popleft().result()
                under_way.append(storage.write(partial(_insert, series=series, points=batch, at=at)))
                at += len(batch)
            while under_way:
                self._done.points += under_way.popleft().result()


@contextmanager
def _as_surveyed(path: Path) -> Iterator[None]:
    """Report points that are not in order or not valid now, but were when they were checked, as changed by somebody."""
    try:
        yield
    except (ValueError, Older) as error:
        raise LocalProtocolError(
            f"{str(path)!r} was changed while it was imported ({error}); mend it, and run the import again"
        ) from error


def _insert(writer: Writer, series: Series, points: list[Datapoint], at: int) -> int:
    if writer.length(series) != at:
        # the points before them could not be stored, perhaps as the disk is full; without those, these would get wrong indices
        raise StorageError(
            f"stream {series.stream_id}: the points before index {at} are not there; run the import again"
        )
    writer.insert(series, points, restamp=False)
    return len(points)


def _series(reader: Reader, stream: FoundStream, downlink: bool) -> Series | None:
    found = reader.find(tuple(stream.path.split("/"))).stream
    return Series(found.id, downlink) if found else None


def _stored(storage: Storage, series: Series) -> Generator[list[Datapoint], None, None]:
    """Yield the stored points of a series, page by page."""
    length = storage.read(lambda reader: reader.length(series)).result()
    at = 0
    while at < length:
        text, came_to = storage.read(partial(_page, series=series, first=at, last=length)).result()
        if came_to == at:
            raise StorageError(f"stream {series.stream_id}: its points from index {at} on are not there")
        at = came_to
        yield json_text.loads(b"[%b]" % text)


def _page(reader: Reader, series: Series, first: int, last: int) -> tuple[bytes, int]:
    return reader.text(series, first, last, _PAGE)


def _different(row: User | Device | Stream, fields: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that differ. An API key that the export leaves out is never different."""
    return [
        name for name, value in fields.items() if getattr(row, name) != value and not (name == "apikey" and not value)
    ]


def _told_apart(path: str, different: list[str], findings: Findings) -> None:
    if different:
        findings.add(path, f"it is there already, with another {', '.join(different)}; {_ADVICE}")


def _make_user(writer: Writer, user: FoundUser, password: str) -> tuple[int, int, int]:
    """Make a user, and its devices and streams, as far as they do not exist; return how many of each were made."""
    made = {"users": 0, "devices": 0, "streams": 0}
    row = writer.find((user.name,)).user
    is_new = row is None
    if row is None:
        row = create_user(writer, user.fields, password)
        made["users"], made["devices"] = 1, 2
    for device in user.devices:
        name = device.fields["name"]
        there = writer.find((user.name, name)).device
        if there is None:
            there = writer.create_device(row.id, _with_key(device))
            made["devices"] += 1
        elif is_new:
            there = writer.update_device(there.id, {**device.fields, "apikey": device.fields["apikey"] or there.apikey})
        for stream in device.streams:
            if writer.find((user.name, name, stream.fields["name"])).stream is None:
                writer.create_stream(there.id, stream.fields)
                made["streams"] += 1
    return made["users"], made["devices"], made["streams"]


def _with_key(device: FoundDevice) -> dict[str, Any]:
    if device.fields["apikey"] or device.fields["name"] in (USER_DEVICE, META_DEVICE):
        return device.fields
    return {**device.fields, "apikey": new_apikey()}
