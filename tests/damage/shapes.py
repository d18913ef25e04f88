"""Cache files of several shapes, as a Logger leaves them, and what is in which page of them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from connectordb.logger.records import Note
from connectordb.logger.rows.store import Store

Row = tuple[int, float, str]

#: What the pages of an SQLite file are made of.
PAGE = 4096


@dataclass
class Shape:
    """
    A file, and what it holds.

    Attributes:
        path: Where it is, with its log beside it if it has one.
        waiting: The rows that wait, by the page that each is in.
        aside: The same of those set aside.
        accepted: How many points it ever took, by the names of streams.
    """

    path: Path
    waiting: dict[int, list[Row]] = field(default_factory=dict)
    aside: dict[int, list[Row]] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many pages the file has."""
        return self.path.stat().st_size // PAGE

    def copy_to(self, folder: Path) -> Path:
        """Copy the file, and its log, to a folder; return where it is."""
        for end in ("", "-wal"):
            if (source := Path(f"{self.path}{end}")).exists():
                shutil.copyfile(source, folder / source.name)
        return folder / self.path.name


def small(store: Store) -> None:
    """A few points, all in one page."""
    store.catalogue.put_stream("a", '{"type": "number"}')
    store.catalogue.save(apikey="key", serverurl="http://example.com", created=True)
    for number in range(20):
        store.points.append(1, 1000.0 + number, str(number / 2), 0)


def usual(store: Store) -> None:
    """Two streams, a note, points set aside, pages that are free again."""
    store.catalogue.save(apikey="key", serverurl="http://example.com", created=True, data={"unit": "°C"})
    for stream, name in enumerate(("temperature", "door"), 1):
        store.catalogue.put_stream(name, "{}", {"nickname": name})
        store.points.append_many({stream: [(1000.0 + n, f'{{"n":{n},"x":"ä"}}') for n in range(3000)]}, 1.0)
    base = 1 << 40
    store.notes.resolve(1, list(range(base + 1, base + 1001)), [base + 1001, base + 1002], "no good", 2.0)
    rows = store.points.rows(base, base + 10**6, 100, 10**6)
    store.notes.write(Note(1, rows[0].id, rows[-1].id, "http://example.com", "key", "u/d/temperature", 1000, 1999.0))


def one_by_one(store: Store) -> None:
    """Each point in a transaction of its own, as a script logs them."""
    store.catalogue.put_stream("a", "{}")
    store.catalogue.save(apikey="key", created=True)
    for number in range(150):
        store.points.append(1, 1000.0 + number, f'"{number:0100}"', 0)


def large_values(store: Store) -> None:
    """Values that take several pages each, between small ones."""
    store.catalogue.put_stream("a", "{}")
    store.catalogue.save(apikey="key", created=True)
    for number in range(60):
        store.points.append(1, 1000.0 + number, f'"{"x" * (number % 7 * 2500)}"', 0)


def many(store: Store) -> None:
    """So many points that the tree of pages has three levels."""
    store.catalogue.put_stream("a", "{}")
    store.catalogue.save(apikey="key", created=True)
    store.points.append_many({1: [(1000.0 + n, f"{n}.125") for n in range(60_000)]}, 1.0)


SHAPES: dict[str, Callable[[Store], None]] = {
    "small": small,
    "usual": usual,
    "one by one": one_by_one,
    "large values": large_values,
    "many": many,
}


def made(name: str, folder: Path, log: bool = False) -> Shape:
    """
    Return a file of that shape.

    Args:
        name: Of `SHAPES`.
        folder: Where to make it.
        log: Leave it as a process leaves it that was killed: with a log that has not all been written into the file.
    """
    path = folder / "cache.db"
    store = Store(path)
    try:
        SHAPES[name](store)
        if log:
            kept = folder / "killed"
            kept.mkdir()
            for end in ("", "-wal"):
                shutil.copyfile(f"{path}{end}", f"{kept / 'cache.db'}{end}")
            path = kept / "cache.db"
    finally:
        store.close()
    shape = Shape(path)
    _look(shape, folder)
    return shape


def _look(shape: Shape, folder: Path) -> None:
    """Find out which rows are in which page: those that are gone when the page is."""
    whole = folder / "whole"
    whole.mkdir()
    connection = apsw.Connection(str(shape.copy_to(whole)))
    with closing(connection):
        accepted = (
            "SELECT name, max(number, coalesce((SELECT max(id) & (1 << 40) - 1 FROM point p WHERE p.id >> 40 = s.id), 0)) - moved "
            "FROM stream s"
        )
        shape.accepted = dict(connection.execute(accepted))
        for table, columns, found in (("point", "id, t, d", shape.waiting), ("rejected", "id, t, d", shape.aside)):
            rows = list(connection.execute(f"SELECT {columns} FROM {table} ORDER BY id"))
            cells = list(
                connection.execute(
                    "SELECT pageno, ncell, pagetype FROM dbstat WHERE name = ? AND pagetype <> 'internal' ORDER BY path",
                    (table,),
                )
            )
            leaves = [(page, count) for page, count, kind in cells if kind == "leaf"]
            if sum(count for _, count in leaves) != len(rows):
                raise AssertionError(f"{table}: {len(rows)} rows, {leaves}")
            for page, count in leaves:
                found[page] = rows[:count]
                del rows[:count]


def contents(path: Path) -> tuple[list[Row], list[Row], dict[str, tuple[int, ...]]]:
    """Return the rows that wait and those set aside, and each stream's numbers: accepted, confirmed, aside, dropped, lost."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda text: text.decode(errors="replace")
        waiting = [tuple(row) for row in connection.execute("SELECT id, t, d FROM point ORDER BY id")]
        aside = [tuple(row) for row in connection.execute("SELECT id, t, d FROM rejected ORDER BY id")]
        numbers = "SELECT name, number - moved, confirmed, aside, dropped, lost FROM stream"
        return waiting, aside, {name: tuple(rest) for name, *rest in connection.execute(numbers)}
