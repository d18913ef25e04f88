"""
Salvaging what can be read of a damaged database, as an export.

SQLite is asked first, for one row and one chunk after the other. Where it returns nothing, or its structure is damaged so that it
may skip something, records are searched for in the pages of the file. Whatever is lost is reported. Streams and devices whose
owner is lost get a new one, so that their points are not lost too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...exceptions import StorageError
from ...runtime.remains import Remains, Remnant
from ...runtime.sqlite import Connection, connect_to_read, translated
from ..database import FILE
from ..exchange import ExportWriter
from ..progress import Progress, untold
from ..storage import (
    Chunks,
    Device,
    Salvager,
    Stored,
    Stream,
    Unreadable,
    User,
    chunk_of,
    row_of,
    span,
)
from .check import Finding, Tell

#: What replaces a name that is lost.
_LOST = "lost-{kind}-{id}"


@dataclass(slots=True)
class Salvaged:
    """
    What was salvaged.

    Attributes:
        users: How many users, including those made up as owners.
        devices: How many devices, likewise.
        streams: How many streams, likewise.
        points: How many points, including those of downlinks.
        losses: How many losses were reported.
    """

    users: int = 0
    devices: int = 0
    streams: int = 0
    points: int = 0
    losses: int = 0


def salvage(
    directory: str | os.PathLike[str], out: str | os.PathLike[str], tell: Tell, progress: Progress | None = None
) -> Salvaged:
    """
    Write all that can be read of a database, however damaged, as an export that ``connectordb import`` reads.

    Args:
        directory: The database's folder, on which no server should run. Nothing in it is changed.
        out: The folder to write; it must not exist.
        tell: Called with each loss.
        progress: Called now and then.

    Raises:
        StorageFull: There is no space.
        StorageError: There is no database file at all, or *out* cannot be written.
    """
    path = Path(directory).absolute() / FILE
    try:
        remains = Remains(path)
    except OSError as error:
        raise StorageError(f"reading {str(path)!r}: {error.strerror}") from error
    with remains, ExportWriter(out) as writer:
        connection = None
        with suppress(StorageError):
            connection = connect_to_read(path)
        try:
            return _Salvage(connection, str(path), remains, writer, tell, progress or untold).run()
        finally:
            if connection is not None:
                connection.close()


class _Salvage:
    def __init__(
        self,
        connection: Connection | None,
        path: str,
        remains: Remains,
        writer: ExportWriter,
        tell: Tell,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._path = path
        self._remains = remains
        self._writer = writer
        self._tell = tell
        self._progress = progress
        self._done = Salvaged()
        #: Rows by kind and id: first those that SQLite returned, then those found in the pages.
        self._rows: dict[type, dict[int, Any]] = {User: {}, Device: {}, Stream: {}}
        #: For each series the chunks found in the pages: first index, number of points, place. `None` until they are needed.
        self._found: dict[int, list[tuple[int, int, Remnant]]] | None = None
        #: Whether it is certain that SQLite skips no chunk silently.
        self._all_chunks = False

    def run(self) -> Salvaged:
        if not all([self._read(kind) for kind in (User, Device, Stream)]):
            self._look_for_rows()
        self._place(self._series() - self._deleted())
        users: dict[int, User] = self._rows[User]
        devices = _by_owner(self._rows[Device], lambda device: device.user_id)
        streams = _by_owner(self._rows[Stream], lambda stream: stream.device_id)
        for user in users.values():
            self._writer.user(user)
            self._done.users += 1
            for device in devices.get(user.id, ()):
                self._writer.device(device)
                self._done.devices += 1
                for stream in streams.get(device.id, ()):
                    self._stream(f"{user.name}/{device.name}/{stream.name}", stream)
        return self._done

    def _lost(self, where: str, what: str) -> None:
        self._done.losses += 1
        self._tell(Finding(where, what))

    # --- rows ---

    def _read(self, kind: Any) -> bool:
        """Read the rows of one kind through SQLite; return whether these are surely all."""
        table = kind.__name__.lower() + "s"
        try:
            if self._connection is None:
                raise StorageError("the file cannot be opened")
            with translated(self._path, "reading"):
                for values in self._connection.execute(f"SELECT * FROM {table} ORDER BY id"):
                    if (row := row_of(kind, int(values[0]), list(values))) is not None:
                        self._rows[kind][row.id] = row
                self._check_structure(self._connection, table)
            return True
        except StorageError as error:
            self._lost(table, f"cannot be read to the end ({error.__cause__ or error}); looking for them in the pages")
            return False

    @staticmethod
    def _check_structure(connection: Connection, table: str) -> None:
        """
        Let SQLite compare a table with its indices, as a page that leads to a wrong place causes no error by itself.

        Raises:
            StorageError: The structure is damaged.
        """
        (said,) = connection.execute(f"PRAGMA integrity_check({table})").fetchall()[0]
        if said != "ok":
            raise StorageError(f"its structure is damaged: {said}")

    def _look(self) -> None:
        """Search the pages for chunks."""
        self._found = {}
        for remnant in self._records():
            if (chunk := chunk_of(remnant.id, remnant.values)) is not None:
                where = Remnant(remnant.id, [], remnant.page, remnant.at)
                self._found.setdefault(chunk.series, []).append((chunk.first, chunk.number, where))

    def _look_for_rows(self) -> None:
        """Search the pages for rows that SQLite did not return."""
        taken = set().union(*(_claims(row) for rows in self._rows.values() for row in rows.values()))
        for remnant in self._records():
            for kind, known in self._rows.items():
                if remnant.id not in known and (row := row_of(kind, remnant.id, remnant.values, strict=True)):
                    # a row with the name of another one had been deleted; both could not be imported
                    if not (claims := _claims(row)) & taken:
                        taken |= claims
                        known[row.id] = row

    def _records(self) -> Iterator[Remnant]:
        for number, remnant in enumerate(self._remains):
            if number % 1000 == 0:
                self._progress("the file's pages", remnant.page, self._remains.pages)
            yield remnant

    def _place(self, series: Collection[int]) -> None:
        """Make up streams, devices and users for points, streams and devices that have lost theirs."""
        users, devices, streams = self._rows[User], self._rows[Device], self._rows[Stream]
        for number in sorted(series):
            if (id := number >> 1) not in streams:
                downlink = 2 * id + 1 in series
                self._lost(f"stream {id}", "only its points are left; its name and device are made up")
                streams[id] = Stream(id, 0, _LOST.format(kind="stream", id=id), "", "", "", "{}", "", False, downlink)
        for stream in streams.values():
            if stream.device_id not in devices:
                id = stream.device_id
                devices[id] = Device(
                    id, 0, _LOST.format(kind="device", id=id), "", "", "", "", False, False, "", True, False
                )
                self._lost(f"device {id}", "it has streams, but is lost itself; its name and user are made up")
        for device in devices.values():
            if device.user_id not in users:
                id = device.user_id
                name = _LOST.format(kind="user", id=id)
                users[id] = User(id, name, "", f"{name}@localhost", "", "", "user", False, "")
                self._lost(f"user {id}", "it has devices, but is lost itself; its name is made up, it has no password")

    def _series(self) -> set[int]:
        """Return the numbers of the series that have points."""
        found: set[int] = set()
        if self._connection is not None:
            chunks = Chunks(self._connection, self._path)
            try:
                number = chunks.next_series(0)
                while number is not None:
                    found.add(number)
                    number = chunks.next_series(number + 1)
                with translated(self._path, "reading"):
                    self._check_structure(self._connection, "chunks")
                self._all_chunks = True
                return found
            except StorageError as error:
                self._lost(
                    "chunks", f"cannot be gone through ({error.__cause__ or error}); looking for them in the pages"
                )
        self._look()
        assert self._found is not None
        known = self._rows[Stream]
        # keys in a damaged page can lead anywhere, so an unknown stream counts only if its chunks themselves name it
        return {number for number in found if number >> 1 in known} | set(self._found)

    def _deleted(self) -> set[int]:
        """Return the numbers of series that belong to deleted streams, and are only waiting to be removed."""
        if self._connection is not None:
            with suppress(StorageError), translated(self._path, "reading"):
                return {int(number) for (number,) in self._connection.execute("SELECT series FROM deleted_series")}
        return set()

    # --- points ---

    def _stream(self, path: str, stream: Stream) -> None:
        self._progress(f"points ({self._done.points:,} so far)", self._done.streams, len(self._rows[Stream]))
        self._writer.stream(stream)
        self._done.streams += 1
        for downlink in (False, True):
            if not downlink or stream.downlink:
                where = f"{path}/downlink" if downlink else path
                self._writer.points(self._pieces(where, 2 * stream.id + downlink), downlink=downlink)

    def _pieces(self, where: str, number: int) -> Iterator[bytes]:
        salvager = Salvager()
        for chunk in self._chunks(number):
            expected = salvager.length
            if isinstance(chunk, Unreadable):
                yield from self._filled(where, salvager, number, chunk.after)
                if chunk.after is None and self._connection is not None:
                    self._lost(where, f"{span(salvager.length, None)} are lost, if there were any")
                continue
            if chunk.first > expected:
                yield from self._filled(where, salvager, number, chunk.first)
            yield from self._taken(where, salvager, chunk)
        if not self._all_chunks:
            yield from self._filled(where, salvager, number, None)

    def _chunks(self, number: int) -> Iterator[Stored | Unreadable]:
        if self._connection is None:
            yield Unreadable(0, None, "the file cannot be opened")
        else:
            yield from Chunks(self._connection, self._path).of(number)

    def _taken(self, where: str, salvager: Salvager, chunk: Stored) -> Iterator[bytes]:
        before, number = salvager.length, salvager.points
        text = salvager.take(chunk)
        taken = salvager.points - number
        self._done.points += taken
        if (missing := salvager.length - before - taken) > 0:
            rest = (
                f"; {taken} that lie before the damage are brought out, and may be changed"
                if taken and chunk.packed
                else ""
            )
            self._lost(where, f"{missing} of {span(before, salvager.length)} are lost{rest}")
        if text:
            yield text

    def _filled(self, where: str, salvager: Salvager, number: int, end: int | None) -> Iterator[bytes]:
        """Fill a gap, up to index *end* if that is known, with chunks from the pages; report what is missing there."""
        for first, points, remnant in self._candidates(number):
            if first + points <= salvager.length or (end is not None and first + points > end):
                continue  # an older copy of points that are there
            chunk = self._whole(remnant)
            if chunk is None:
                continue
            if first > salvager.length:
                self._lost(where, f"{span(salvager.length, first)} are lost")
                salvager.skip(first)
            yield from self._taken(where, salvager, chunk)
        if end is not None and end > salvager.length:
            self._lost(where, f"{span(salvager.length, end)} are lost")
            salvager.skip(end)

    def _candidates(self, number: int) -> list[tuple[int, int, Remnant]]:
        """Return the chunks of a series in the pages: first index, number of points, place; in order, the longest of an index first."""
        if self._found is None:
            self._look()
        assert self._found is not None
        return sorted(self._found.get(number, ()), key=lambda each: (each[0], -each[1]))

    def _whole(self, remnant: Remnant) -> Stored | None:
        with suppress(ValueError):
            return chunk_of(remnant.id, self._remains.whole(remnant), whole=True)
        return None


def _claims(row: User | Device | Stream) -> set[tuple[object, ...]]:
    """Return those values of a row that no other row may have."""
    if isinstance(row, User):
        return {("user", row.name), ("email", row.email)}
    if isinstance(row, Device):
        return {("device", row.user_id, row.name), *([("key", row.apikey)] if row.apikey else [])}
    return {("stream", row.device_id, row.name)}


def _by_owner(rows: dict[int, Any], owner: Callable[[Any], int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows.values():
        found.setdefault(owner(row), []).append(row)
    return found
