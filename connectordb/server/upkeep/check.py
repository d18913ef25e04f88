"""
Checking whether a database is sound: SQLite's structure, every row, and every chunk of points.

It only reads, with a consistent view for each part, so the server may run meanwhile. Each finding is reported at once, so it
never needs more memory than for a single chunk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...exceptions import StorageError
from ...protocol.paths import is_name
from ...runtime.layouts import version
from ...runtime.sqlite import Connection, connect_to_read, translated, view
from ..database import database_file
from ..patterns import server_schema
from ..progress import Progress, untold
from ..storage import LAYOUT, Chunks, Judge, Unreadable, key_digest, numbered

#: The most faults of SQLite's structure that are reported. If a file has more, a longer list is no help.
_MOST_STRUCTURE = 100

#: How many instructions SQLite executes between two reports of progress.
_TICK = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Something that is wrong.

    Attributes:
        where: The part of the file, the table, or the path of a stream.
        what: What is wrong there; for points with their indices.
    """

    where: str
    what: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return " ".join(f"{self.where}: {self.what}".split())


@dataclass(slots=True)
class Checked:
    """What a check has come to: how many streams and points were checked, and how many findings there were."""

    streams: int = 0
    points: int = 0
    findings: int = 0


#: Called with each finding.
Tell = Callable[[Finding], object]


def check(directory: str | os.PathLike[str], tell: Tell, progress: Progress | None = None) -> Checked:
    """
    Check a whole database. Its server may run, and nothing is changed.

    Args:
        directory: Its folder.
        tell: Called with each thing that is wrong.
        progress: Called now and then.

    Raises:
        StorageError: It is no database folder, cannot be read at all, or was made by a newer version of this package.
    """
    return check_file(database_file(directory), tell, progress)


def check_file(path: Path, tell: Tell, progress: Progress | None = None, called: str | None = None) -> Checked:
    """Check a database file as `check` does, wherever it is; *called* is what errors call it."""
    connection = connect_to_read(path)
    try:
        return _Check(connection, called or str(path), tell, progress or untold).run()
    finally:
        connection.close()


class _Check:
    def __init__(self, connection: Connection, path: str, tell: Tell, progress: Progress) -> None:
        self._connection = connection
        self._path = path
        self._tell = tell
        self._progress = progress
        self._chunks = Chunks(connection, path)
        self._checked = Checked()

    def run(self) -> Checked:
        with translated(self._path, "reading"):
            layout = version(self._connection)
        if not 0 < layout <= LAYOUT:
            raise StorageError(
                f"checking {self._path!r}: its layout is {layout}, and this version knows those from 1 to {LAYOUT}; "
                f"{'install the version that made it' if layout else 'is it a database of connectordb?'}"
            )
        for name, part in (
            ("structure", self._structure),
            ("rows", self._references),
            ("rows", self._ids),
            ("rows", self._names),
            ("devices", self._keys),
            ("streams", self._schemas),
            *([("insert keys", self._insert_keys)] if layout > 1 else []),
            *([("rows", self._deleted)] if layout > 2 else []),
            ("points", self._points),
        ):
            try:
                with translated(self._path, "reading"):
                    part()
            except StorageError as error:
                self._found(name, f"cannot be read any further ({error.__cause__ or error})")
        return self._checked

    def _found(self, where: str, what: str) -> None:
        self._checked.findings += 1
        self._tell(Finding(where, what))

    # --- the file ---

    def _structure(self) -> None:
        ticks = 0

        def tick() -> bool:
            nonlocal ticks
            ticks += 1
            self._progress("the file's structure", ticks, 0)
            return False

        self._connection.set_progress_handler(tick, _TICK)
        try:
            for (said,) in self._connection.execute(f"PRAGMA integrity_check({_MOST_STRUCTURE})"):
                if said != "ok":
                    self._found("structure", str(said))
        finally:
            self._connection.set_progress_handler(None)

    # --- rows ---

    def _references(self) -> None:
        for table, row, parent, _ in self._connection.execute("PRAGMA foreign_key_check"):
            self._found(str(table), f"the row with the id {row} belongs to a row of {parent} that is not there")

    def _ids(self) -> None:
        # AUTOINCREMENT keeps the highest id that was ever used: if that is lower than an existing id, ids would be used again
        for table in ("users", "devices", "streams"):
            ((highest, noted),) = self._connection.execute(
                f"SELECT ifnull(max(id), 0), ifnull((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0) FROM {table}"
            )
            if not isinstance(noted, int) or noted < highest:
                self._found(table, f"the highest id noted is {noted}, but there is {highest}: ids would be used again")

    def _names(self) -> None:
        for table in ("users", "devices", "streams"):
            # all columns are read, though only two are looked at, to find text that is no UTF-8
            for id, name, *_ in self._connection.execute(f"SELECT id, name, * FROM {table}"):
                if not isinstance(name, str) or not is_name(name):
                    self._found(table, f"the row with the id {id} has a name that nothing can have, {name!r}")

    def _keys(self) -> None:
        for id, apikey, digest in self._connection.execute("SELECT id, apikey, key_digest FROM devices"):
            if not isinstance(apikey, str) or key_digest(apikey) != digest:
                self._found("devices", f"the row with the id {id} is not found by its API key")

    def _schemas(self) -> None:
        for path, schema in self._connection.execute(f"SELECT {_PATH}, schema {_STREAMS} WHERE schema != '{{}}'"):
            try:
                if not isinstance(schema, str):
                    raise ValueError("it is no text")
                server_schema(schema)
            except ValueError as error:
                self._found(path, f"its schema cannot be used ({str(error)[:200]})")

    def _insert_keys(self) -> None:
        there = "SELECT device_id, count(*) FROM insert_keys GROUP BY device_id"
        noted = "SELECT device_id, number FROM insert_key_counts"
        different = f"SELECT * FROM ({noted} EXCEPT {there}) UNION SELECT * FROM ({there} EXCEPT {noted})"
        for (device,) in self._connection.execute(f"SELECT DISTINCT device_id FROM ({different})"):
            self._found("insert keys", f"those of the device with the id {device} are not as many as is noted")

    def _deleted(self) -> None:
        for (id,) in self._connection.execute(
            "SELECT id FROM streams WHERE id IN (SELECT series / 2 FROM deleted_series)"
        ):
            self._found(
                "streams", f"the row with the id {id} is there, and its points are noted as those of a deleted one"
            )

    # --- points ---

    def _points(self) -> None:
        streams = [int(id) for (id,) in self._connection.execute("SELECT id FROM streams ORDER BY id")]
        self._checked.streams = len(streams)
        # a view for each series, so that the log of a running server need not grow for as long as all of this takes
        for done, stream in enumerate(streams):
            self._progress(f"points ({self._checked.points:,} so far)", done, len(streams))
            for number in (2 * stream, 2 * stream + 1):
                with view(self._connection):
                    if self._has_points(number) and not self._is_deleted(number):
                        self._series(number)
        self._progress(f"points ({self._checked.points:,} in all)", len(streams), len(streams))
        # series of no known stream come last, as damaged keys can lead anywhere
        known = set(streams)
        found = self._next_series(0)
        while found is not None:
            if found >> 1 not in known:
                with view(self._connection):
                    if not self._is_deleted(found):
                        self._series(found)
            found = self._next_series(found + 1)

    def _has_points(self, number: int) -> bool:
        try:
            return self._chunks.next_series(number) == number
        except StorageError:
            return True  # the error will be reported when the series is checked

    def _is_deleted(self, number: int) -> bool:
        """Tell whether a series belongs to a deleted stream, and is only waiting to be removed."""
        try:
            with translated(self._path, "reading"):
                row = self._connection.execute("SELECT 1 FROM deleted_series WHERE series = ?", (number,)).fetchone()
        except StorageError:
            return False  # an older layout, or an error that was reported before
        return row is not None

    def _next_series(self, number: int) -> int | None:
        with view(self._connection):
            return self._chunks.next_series(number)

    def _series(self, number: int) -> None:
        where = self._name(number)
        judge = Judge(number)
        for chunk in self._chunks.of(number):
            for indices, what in [judge.unreadable(chunk)] if isinstance(chunk, Unreadable) else judge.faults(chunk):
                self._found(where, f"{indices} {what}")
        self._checked.points += judge.length

    def _name(self, number: int) -> str:
        """Return the path of a series' stream; report a series that should not exist."""
        series = numbered(number)
        numbers = f"stream {series.stream_id}{' (downlink)' * series.downlink}"
        try:
            with translated(self._path, "reading"):
                row = self._connection.execute(
                    f"SELECT {_PATH}, downlink {_STREAMS} WHERE streams.id = ?", (series.stream_id,)
                ).fetchone()
        except StorageError:
            return numbers  # it was reported before that the rows cannot be read
        if row is None:
            self._found(numbers, "there are points, but no such stream")
            return numbers
        path, downlink = row
        if series.downlink and not downlink:
            self._found(path, "there are points of a downlink, which it does not have")
        return f"{path}/downlink" if series.downlink else str(path)


#: A stream's path, with "?" for a user or device that is missing.
_PATH = "ifnull(users.name, '?') || '/' || ifnull(devices.name, '?') || '/' || streams.name"
_STREAMS = (
    "FROM streams LEFT JOIN devices ON devices.id = streams.device_id LEFT JOIN users ON users.id = devices.user_id"
)


def first_finding(path: Path, progress: Progress | None = None, called: str | None = None) -> Finding | None:
    """Return the first finding about a database file; `None` if it is sound. *called* is what errors call it."""
    found: list[Finding] = []

    def keep(finding: Finding) -> None:
        if not found:
            found.append(finding)

    check_file(path, keep, progress, called)
    return found[0] if found else None
