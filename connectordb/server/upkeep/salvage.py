"""
Bringing out of a damaged database what can be read, as an export.

SQLite is asked first, for one row and one chunk after the other; where it gives nothing, or its structure is damaged so that it
may pass over something, records are looked for in the file's pages. What nothing is found of is told. What belongs to nobody any more gets an owner, so that its points are not lost for want
of a name.
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

#: What is put in the place of a name that is lost.
_LOST = "lost-{kind}-{id}"


@dataclass(slots=True)
class Salvaged:
    """
    What was brought out.

    Attributes:
        users: How many, those made up for what belongs to nobody included.
        devices: Likewise.
        streams: Likewise.
        points: How many, those of downlinks included.
        losses: How many things were told.
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
        directory: Its folder; no server should run on it. Nothing in it is changed.
        out: Where to; there must be nothing.
        tell: Called with each thing that is lost.
        progress: Called now and then.

    Raises:
        StorageFull: There is no space.
        StorageError: There is no file of a database at all, or *out* cannot be written.
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
        #: What SQLite gave, by kind and id; and below it what was found in the pages.
        self._rows: dict[type, dict[int, Any]] = {User: {}, Device: {}, Stream: {}}
        #: Series → the chunks in the pages: first index, number of points, where. None until it is needed.
        self._found: dict[int, list[tuple[int, int, Remnant]]] | None = None
        #: Whether SQLite passes over no chunk without saying so.
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
        """Have SQLite give the rows of one kind; tell whether it gave all."""
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
        Have SQLite compare a table with its indices: a page that leads elsewhere than it should gives no error by itself.

        Raises:
            StorageError: There is something wrong.
        """
        (said,) = connection.execute(f"PRAGMA integrity_check({table})").fetchall()[0]
        if said != "ok":
            raise StorageError(f"its structure is damaged: {said}")

    def _look(self) -> None:
        """Go through the pages for chunks."""
        self._found = {}
        for remnant in self._records():
            if (chunk := chunk_of(remnant.id, remnant.values)) is not None:
                where = Remnant(remnant.id, [], remnant.page, remnant.at)
                self._found.setdefault(chunk.series, []).append((chunk.first, chunk.number, where))

    def _look_for_rows(self) -> None:
        """Go through the pages for rows that SQLite did not give."""
        taken = set().union(*(_claims(row) for rows in self._rows.values() for row in rows.values()))
        for remnant in self._records():
            for kind, known in self._rows.items():
                if remnant.id not in known and (row := row_of(kind, remnant.id, remnant.values, strict=True)):
                    # what has a name that another one has was deleted before: two of a name could not be imported
                    if not (claims := _claims(row)) & taken:
                        taken |= claims
                        known[row.id] = row

    def _records(self) -> Iterator[Remnant]:
        for number, remnant in enumerate(self._remains):
            if number % 1000 == 0:
                self._progress("the file's pages", remnant.page, self._remains.pages)
            yield remnant

    def _place(self, series: Collection[int]) -> None:
        """Give an owner to what has lost its own, and names that can be used."""
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
        # the keys in a damaged page lead anywhere: a stream that nobody knows is believed in if its chunks say so too
        return {number for number in found if number >> 1 in known} | set(self._found)

    def _deleted(self) -> set[int]:
        """Return the numbers of series of which only what is still to be removed is left."""
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
        """Fill a gap, up to index *end* if that is known, with what the pages have; tell what they do not have."""
        for first, points, remnant in self._candidates(number):
            if first + points <= salvager.length or (end is not None and first + points > end):
                continue  # an older copy of what is there
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
        """Return what the pages have of a series: first index, number of points, where; the longest of one index first."""
        if self._found is None:
            self._look()
        assert self._found is not None
        return sorted(self._found.get(number, ()), key=lambda each: (each[0], -each[1]))

    def _whole(self, remnant: Remnant) -> Stored | None:
        with suppress(ValueError):
            return chunk_of(remnant.id, self._remains.whole(remnant), whole=True)
        return None


def _claims(row: User | Device | Stream) -> set[tuple[object, ...]]:
    """Return what no other row may have."""
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
