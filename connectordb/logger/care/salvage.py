"""
Bringing what can be read of a damaged cache file over into a new one.

Tables that are whole are copied. The rows of others are looked for in the file's pages, where records are recognised by the kinds of
their columns. Then it is no longer known what may have been sent: all waiting rows are noted as a batch with an unknown outcome, to be
looked for by time, like the rows of a 0.3.5 file. Points that a stream's counts include, and that are not found, count as lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ...exceptions import StorageDamaged, StorageError
from ...protocol import json_text
from ...protocol.paths import is_name
from ...runtime import layouts, sqlite
from ...runtime.remains import Nonsense, Remains, Remnant
from ..file import number_of, stream_of, upgrade
from .reckoning import reckon

#: How many rows are written at once.
_AT_ONCE = 1000

#: The size of the pages in all of our files.
_PAGE_SIZE = 4096

#: The tables that may have many rows.
_LARGE = {"point", "rejected", "cache"}

_OLD_SHAPES: Mapping[str, Sequence[tuple[str, str, bool, bool]]] = {
    "cache": [("stream", "TEXT", True, False), ("timestamp", "REAL", True, False), ("jsondata", "TEXT", True, False)],
    "streams": [("stream", "TEXT", True, False), ("jsonschema", "TEXT", True, False)],
    "metadata": [
        ("apikey", "TEXT", False, False),
        ("serverurl", "TEXT", False, False),
        ("lastsynctime", "REAL", False, False),
        ("syncperiod", "REAL", False, False),
        ("userdatajson", "TEXT", False, False),
    ],
}

_KINDS: Mapping[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """
    What was brought over.

    Attributes:
        waiting: Points that wait.
        aside: Points that were set aside, including those that could only be read in part.
        lost: Points that the file should have had.
        in_doubt: Whether it is no longer known what may have been sent.
    """

    waiting: int
    aside: int
    lost: int
    in_doubt: bool


def is_a_loggers(path: str | os.PathLike[str]) -> bool:
    """
    Tell whether a file that SQLite cannot read, or finds no tables in, is a Logger's.

    It is if it has anything of one, or nothing but zeros.
    """
    with _remains(path) as remains:
        if remains.is_blank() or upgrade.APPLICATION_ID in remains.application_ids():
            return True
        tables = {**upgrade.newest_layout(), **_OLD_SHAPES}
        for remnant in remains.records():
            values = remnant.values
            if len(values) == 5 and values[0] == "table" and values[1] in ("point", "cache", "note", "metadata"):
                return True
            if remnant.is_whole and any(
                _fits(table, tables[table], remnant) for table in ("point", "rejected", "cache", "metadata", "stream")
            ):
                return True
        return any(remnant.is_whole and _fits("setting", tables["setting"], remnant) for remnant in remains.entries())


def salvage(
    damaged: str | os.PathLike[str], new: str | os.PathLike[str], now: float, story: Mapping[str, Any]
) -> Salvaged:
    """
    Make the file *new*, which does not exist, out of what can be read of the file *damaged*.

    Args:
        damaged: The damaged file; nobody has it open. Neither it nor its log is changed.
        new: The new file.
        now: The time, in seconds since 1970.
        story: Kept in the setting ``mended``, together with the outcome.

    Raises:
        StorageFull: There is no space.
        StorageError: *new* cannot be written.
    """
    with _remains(damaged) as remains:
        old = _is_old(remains)
        connection = sqlite.connect(new, only_look=True)
        try:
            with sqlite.translated(new, "writing"):
                # safe, as nobody else knows of the file before it is complete
                connection.pragma("journal_mode", "MEMORY")
                connection.pragma("synchronous", "OFF")
                # otherwise SQLite would leave out what comes behind damage in the log, or delete the log of an empty file
                if remains.log_is_whole and remains.pages:
                    with suppress(StorageDamaged):
                        sqlite.attach(connection, damaged, "damaged")
                bringing = _Bringing(connection, remains, _OLD_SHAPES if old else upgrade.newest_layout())
                with sqlite.transaction(connection):
                    if old:
                        bringing.old(damaged)
                    else:
                        for migration in upgrade.MIGRATIONS:
                            migration(connection)
                        connection.pragma("user_version", len(upgrade.MIGRATIONS))
                        bringing.new(damaged, now)
                layouts.migrate(connection, new, upgrade.MIGRATIONS)
                return bringing.result(story)
        finally:
            connection.close()


def _remains(path: str | os.PathLike[str]) -> Remains:
    try:
        return Remains(path, _PAGE_SIZE)
    except OSError as error:
        raise StorageError(f"reading {os.fspath(path)!r}: {error.strerror}") from error


def _is_old(remains: Remains) -> bool:
    """Tell whether the file is one of 0.3.5: by its tables, or else by its rows."""
    ours = theirs = 0
    layout = upgrade.newest_layout()
    for remnant in remains.records():
        values = remnant.values
        if len(values) == 5 and values[0] == "table" and isinstance(values[1], str):
            ours += 1000 * (values[1] in layout)
            theirs += 1000 * (values[1] in _OLD_SHAPES)
        elif remnant.is_whole:
            ours += any(_fits(table, layout[table], remnant) for table in ("point", "stream", "rejected"))
            theirs += any(_fits(table, shape, remnant) for table, shape in _OLD_SHAPES.items())
        if max(ours, theirs) > 2_000:
            break
    return theirs > ours


def _fits(table: str, columns: Sequence[tuple[str, str, bool, bool]], remnant: Remnant) -> bool:
    """Tell whether a record may be a row of a table: whether its columns have the right number and kinds, and make sense."""
    values = remnant.values
    if len(values) != len(columns):
        return False
    for value, (_, type_, never_null, in_key) in zip(values, columns, strict=True):
        if value is None:
            # the key of a table is not in its records
            if never_null and not (in_key and type_ == "INTEGER" and remnant.id):
                return False
        elif type(value) not in _KINDS[type_] or (in_key and remnant.id):
            return False
    return _SENSE[table](remnant.id, lambda named: values[[name for name, *_ in columns].index(named)])


def _is_time(t: Any) -> bool:
    return isfinite(t) and t > 0


def _is_json(text: Any) -> bool:
    try:
        json_text.loads(text)
        return True
    except ValueError:
        return False


def _is_row(id: int, value: Callable[[str], Any]) -> bool:
    return stream_of(id) > 0 and number_of(id) > 0


def _is_note(stream: int, value: Callable[[str], Any]) -> bool:
    first, last = int(value("first")), int(value("last"))
    return 0 < stream == stream_of(first) == stream_of(last)


#: Table → whether the values of a row make sense, given the row's id and a function from a column's name to its value.
_SENSE: Mapping[str, Callable[[int, Callable[[str], Any]], bool]] = {
    "point": _is_row,
    "rejected": _is_row,
    "stream": lambda id, value: (
        id > 0 and value("name") != "" and _is_json(value("schema")) and _is_json(value("properties"))
    ),
    "setting": lambda id, value: _is_json(value("value")),
    "era": lambda id, value: id > 0 and isfinite(value("difference")),
    "note": _is_note,
    "note_time": lambda id, value: _is_row(value("point"), value) and _is_time(value("t")),
    "held": lambda id, value: _is_note(value("stream"), value),
    "fate": lambda id, value: _is_row(id, value) and id <= value("last") and value("step") > 0,
    "cache": lambda id, value: is_name(value("stream")),
    "streams": lambda id, value: is_name(value("stream")) and _is_json(value("jsonschema")),
    "metadata": lambda id, value: value("serverurl") is None or value("serverurl").startswith("http"),
}


class _Bringing:
    def __init__(
        self,
        connection: sqlite.Connection,
        remains: Remains,
        tables: Mapping[str, Sequence[tuple[str, str, bool, bool]]],
    ) -> None:
        self._connection, self._remains, self._tables = connection, remains, tables
        self._without_key = {table for table, columns in tables.items() if not any(in_key for *_, in_key in columns)}
        #: Tables that could not be copied whole.
        self._partly: set[str] = set()
        #: Stream id → name, from the index of names.
        self._names: dict[int, str] = {}
        #: How many columns → the tables with so many; and table → its rows that were found, and are still to be written.
        self._of_width: dict[int, list[str]] = {}
        self._found: dict[str, list[list[Any]]] = {}
        self._lost = 0
        self._in_doubt = True

    def old(self, damaged: str | os.PathLike[str]) -> None:
        """Bring the tables of a 0.3.5 file over, as they are; they are upgraded afterwards, like those of a sound file."""
        for table, columns in self._tables.items():
            self._connection.execute(
                f"CREATE TABLE {table} ({', '.join(f'{name} {type_}' for name, type_, *_ in columns)})"
            )
        self._bring(damaged)

    def new(self, damaged: str | os.PathLike[str], now: float) -> None:
        """Bring the tables of one of our files over, and make the counts add up."""
        self._bring(damaged)
        self._set_aside_what_is_no_json(now)
        self._lost, self._in_doubt = reckon(self._connection, self._partly, self._names)

    def result(self, story: Mapping[str, Any]) -> Salvaged:
        """Return the outcome, and keep it with the *story*."""
        ((waiting,),) = self._connection.execute("SELECT count(*) FROM point")
        ((aside,),) = self._connection.execute("SELECT count(*) FROM rejected")
        text = json_text.dumps({**story, "lost": self._lost, "in_doubt": self._in_doubt}).decode()
        self._connection.execute("REPLACE INTO setting VALUES ('mended', ?)", (text,))
        return Salvaged(waiting, aside, self._lost, self._in_doubt)

    # --- rows -----------------------------------------------------------------------------------------------------------

    def _bring(self, damaged: str | os.PathLike[str]) -> None:
        taken = self._copy(damaged)
        self._partly = set(self._tables) - set(taken)
        if not self._partly:
            return
        for table in sorted(self._partly):
            self._of_width.setdefault(len(self._tables[table]), []).append(table)
            self._found[table] = []
        pages = self._remains.free().union(*map(self._remains.tree, taken.values()))
        for remnant in self._remains.records(pages):
            self._take(remnant)
        for remnant in self._remains.entries(pages):
            self._take(remnant)
            values = remnant.values
            if remnant.is_whole and len(values) == 2 and isinstance(values[0], str) and type(values[1]) is int:
                self._names.setdefault(values[1], values[0])
        for table in self._found:
            self._write(table)

    def _take(self, remnant: Remnant) -> None:
        if not remnant.is_whole:
            try:
                values = self._remains.whole(remnant)
            except Nonsense:
                return
            remnant = Remnant(remnant.id, values, remnant.page, remnant.at, True, remnant.kind)
        for table in self._of_width.get(len(remnant.values), ()):
            if _fits(table, self._tables[table], remnant):
                self._found[table].append(self._row(table, remnant))
                if len(self._found[table]) == _AT_ONCE:
                    self._write(table)

    def _row(self, table: str, remnant: Remnant) -> list[Any]:
        if table in self._without_key:
            return [remnant.id, *remnant.values]
        return [remnant.id, *remnant.values[1:]] if remnant.values[0] is None else remnant.values

    def _write(self, table: str) -> None:
        columns = self._tables[table]
        names = [*(["rowid"] if table in self._without_key else []), *(name for name, *_ in columns)]
        self._connection.executemany(
            f"INSERT OR IGNORE INTO main.{table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            self._found[table],
        )
        self._found[table].clear()

    def _copy(self, damaged: str | os.PathLike[str]) -> dict[str, int]:
        """Copy the tables that are whole, by SQLite; return these → the page where each begins."""
        taken: dict[str, int] = {}
        for table, root in self._whole_tables(damaged).items():
            with suppress(StorageDamaged):
                self._copy_table(damaged, table)
                taken[table] = root
        return taken

    def _whole_tables(self, damaged: str | os.PathLike[str]) -> dict[str, int]:
        """Return the tables that SQLite finds nothing wrong with → the page where each begins."""
        found: dict[str, int] = {}
        if not sqlite.is_attached(self._connection, "damaged"):
            return found
        # a new connection for each: once a connection has met damage, it reports it everywhere
        for table in self._tables:
            with suppress(StorageDamaged), closing(sqlite.connect_to_read(damaged)) as connection:
                with sqlite.translated(damaged, "reading"):
                    query = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?"
                    roots = connection.execute(query, (table,)).fetchall()
                    if roots and connection.execute(f"PRAGMA integrity_check({table})").fetchall()[0][0] == "ok":
                        found[table] = int(str(roots[0][0]))
        return found

    def _copy_table(self, damaged: str | os.PathLike[str], table: str) -> None:
        with sqlite.translated(damaged, "reading"), self._connection:  # undone if it fails
            columns = ", ".join(name for name, *_ in self._tables[table])
            self._connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM damaged.{table}")
            if table in _LARGE and not self._connection.changes():
                raise StorageDamaged(f"{table} has no rows; if there are some they are looked for")
            self._check_text(table)

    def _check_text(self, table: str) -> None:
        """Read all text that is not ASCII, which raises an error if it is not valid."""
        for name, type_, *_ in self._tables[table]:
            if type_ == "TEXT":
                query = (
                    f"SELECT {name} FROM main.{table} WHERE {name} GLOB '*[^' || char(1) || '-' || char(127) || ']*'"
                )
                for _ in self._connection.execute(query):
                    pass

    def _set_aside_what_is_no_json(self, now: float) -> None:
        condition = "NOT json_valid(d) OR NOT t > 0 OR t > 1e300"
        if "point" in self._partly:  # U+FFFD stands for bytes that were not text
            condition += " OR instr(d, char(65533))"
        self._connection.execute(
            "INSERT OR REPLACE INTO rejected (id, t, d, era, reason, at) "
            f"SELECT id, t, d, era, 'not valid JSON, or without a time, after the file was damaged', ? FROM point WHERE {condition}",
            (now,),
        )
        self._connection.execute(f"DELETE FROM point WHERE {condition}")
