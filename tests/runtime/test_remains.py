"""Records found in a file's pages."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.runtime.remains import Nonsense, Remains

from ..support.case import SOON, Case

_VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False).filter(lambda value: not value.is_integer()),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    st.binary(max_size=20_000),
)


class Reading(Case):
    """What SQLite wrote is read as SQLite reads it, whatever the size of pages and records."""

    def made(self, rows: list[tuple[Any, ...]], page_size: int = 4096, mode: str = "DELETE") -> Path:
        """Return a file with a table of these rows."""
        path = self.folder() / "some.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {page_size}")
            connection.execute(f"PRAGMA journal_mode = {mode}")
            connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, a, b, c)")
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
            if mode == "WAL":
                copy = self.folder() / "copy"
                subprocess.run(["cp", "-r", path.parent, copy], check=True, timeout=SOON)
                return copy / "some.db"
        return path

    def found(self, path: Path) -> dict[int, list[Any]]:
        """Return the rows that are found."""
        with Remains(path) as remains:
            return {each.id: remains.whole(each)[1:] for each in remains if len(remains.whole(each)) == 4}

    @given(
        rows=st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.tuples(_VALUES, _VALUES, _VALUES), max_size=20),
        size=st.sampled_from((512, 1024, 4096, 65536)),
    )
    @settings(max_examples=40, deadline=None)
    def test_all_kinds(self, rows: dict[int, tuple[Any, ...]], size: int) -> None:
        """Every row, with every kind of value, from the shortest to those that take many pages."""
        path = self.made([(id, *values) for id, values in rows.items()], size)
        self.assertEqual(self.found(path), {id: list(values) for id, values in rows.items()})

    def test_log(self) -> None:
        """What only the log has is found there."""
        rows = [(id, id * 2, "x" * id, None) for id in range(1, 500)]
        path = self.made(rows, mode="WAL")
        self.assertGreater(path.with_name("some.db-wal").stat().st_size, 0)
        self.assertEqual(self.found(path), {id: list(values) for id, *values in rows})

    def test_nonsense(self) -> None:
        """Whatever the bytes are, what is not a record is passed over, and it ends."""
        rows = [(id, id, random.Random(id).randbytes(id * 40), "text") for id in range(1, 200)]
        path = self.made(rows)
        sound = path.read_bytes()
        for seed in range(60):
            chance = random.Random(seed)
            damaged = bytearray(sound)
            for _ in range(chance.choice((1, 20, 400))):
                at = chance.randrange(len(damaged))
                damaged[at : at + 8] = chance.randbytes(min(8, len(damaged) - at))
            path.write_bytes(damaged[: chance.choice((None, len(damaged) // 2, 700))])
            with Remains(path) as remains:
                for each in remains:
                    try:
                        remains.whole(each)
                    except Nonsense:
                        continue

    def test_entries(self) -> None:
        """What indices and tables WITHOUT ROWID hold is found too, in leaves and above them, short and long."""
        path = self.folder() / "some.db"
        rows = [(f"{number:05}" + "x" * (number % 50 * 40), number) for number in range(500)]
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE things (name TEXT PRIMARY KEY, number) WITHOUT ROWID")
            connection.executemany("INSERT INTO things VALUES (?, ?)", rows)
        with Remains(path) as remains:
            self.assertEqual(sorted(tuple(remains.whole(each)) for each in remains.entries()), rows)
            self.assertEqual([each.id for each in remains.entries() if each.id], [])

    def test_pages(self) -> None:
        """The pages of a table, and those that are free, are told apart."""
        path = self.made([(id, "x" * 100, None, None) for id in range(5000)])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("DELETE FROM things WHERE id > 1000")
            ((count,),) = connection.execute("PRAGMA freelist_count").fetchall()
        with Remains(path) as remains:
            tree, free = remains.tree(2), remains.free()
            self.assertEqual(len(free), count)
            self.assertEqual(tree | free, set(range(2, remains.pages + 1)))
            self.assertFalse(tree & free)
            self.assertEqual({each.id for each in remains.records(free | {1})}, set(range(1001)))

    def test_harmed_list(self) -> None:
        """A list of free pages that does not add up is not believed."""
        path = self.made([(id, "x" * 100, None, None) for id in range(5000)])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("DELETE FROM things WHERE id > 1000")
        data = bytearray(path.read_bytes())
        data[39] ^= 1  # how many there are
        path.write_bytes(data)
        with Remains(path) as remains:
            self.assertEqual(remains.free(), set())

    def test_harmed_header(self) -> None:
        """Where the header is nonsense, pages have their usual size."""
        rows = [(id, id, None, None) for id in range(1, 2000)]
        for size in (b"\0\0", b"\x20\0"):
            path = self.made(rows)
            data = bytearray(path.read_bytes())
            data[16:18] = size
            path.write_bytes(data)
            with Remains(path, usual=4096) as remains:
                self.assertEqual(len([each for each in remains if len(each.values) == 4]), 1999)

    def test_blank(self) -> None:
        """A file of zeros holds nothing."""
        path = self.folder() / "some.db"
        for content, blank in ((b"", True), (b"\0" * 5000, True), (b"\0" * 5000 + b"x", False), (b"hello", False)):
            path.write_bytes(content)
            with Remains(path) as remains:
                self.assertEqual(remains.is_blank(), blank)
