"""Tests of `connectordb.logger.rows.fate`."""

from __future__ import annotations

import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.logger.file.upgrade import open_file
from connectordb.logger.rows import fate
from connectordb.runtime import sqlite
from tests.support.case import Case

BASE = 3 << 40


class FateTests(Case):
    """What became of an id that is gone can be found, and takes little room."""

    def setUp(self) -> None:
        super().setUp()
        self.connection = open_file(self.folder() / "a.db")
        self.addCleanup(self.connection.close)

    def entries(self) -> list[tuple[int, ...]]:
        query = f"SELECT first - {BASE}, last - {BASE}, step, now - {BASE} FROM fate ORDER BY first"
        return list(self.connection.execute(query))

    def drop(self, *numbers: int) -> None:
        fate.dropped(self.connection, [BASE + number for number in numbers])

    def test_neighbours(self) -> None:
        """What was dropped side by side is one entry, in whatever order it went."""
        for number in (5, 6, 7, 3, 4, 8):
            self.drop(number)
        self.drop(9, 10, 11)
        self.assertEqual(self.entries(), [(3, 11, 1, None)])

    def test_every_second(self) -> None:
        """So is every second row of many, and then every second of the others."""
        self.drop(*range(2, 1000, 2))
        self.drop(*range(3, 500, 4))
        self.drop(*range(503, 1000, 4))
        self.drop(*range(503 + 500, 2000, 4))
        self.assertEqual(self.entries(), [(2, 998, 2, None), (3, 1999, 4, None)])
        self.assertIsNone(fate.trace(self.connection, BASE + 7))
        self.assertEqual(fate.trace(self.connection, BASE + 5), BASE + 5)

    def test_moved(self) -> None:
        """A moved one is followed, also twice, and until it is dropped."""
        fate.moved(self.connection, [BASE + 1, BASE + 2, BASE + 3], [BASE + 5, BASE + 7, BASE + 8])
        fate.moved(self.connection, [BASE + 7, BASE + 8], [BASE + 10, BASE + 11])
        self.assertEqual(self.entries(), [(1, 1, 1, 5), (2, 3, 1, 7), (7, 8, 1, 10)])
        self.drop(11)
        self.assertEqual([fate.trace(self.connection, BASE + n) for n in (1, 2, 3)], [BASE + 5, BASE + 10, None])

    def test_rows(self) -> None:
        """Rows that are about to go are noted, and no others: what is missing between them was confirmed."""
        self.connection.executemany(
            "INSERT INTO point (id, t, d) VALUES (?, 1.0, '1')", [(BASE + n,) for n in (2, 3, 5, 6)]
        )
        self.assertEqual(fate.dropped_rows(self.connection, BASE, BASE + 5), 3)
        self.assertEqual(fate.dropped_rows(self.connection, BASE + 6, BASE + 9), 1)
        self.assertEqual(fate.dropped_rows(self.connection, BASE + 7, BASE + 9), 0)
        gone = [n for n in range(1, 8) if fate.trace(self.connection, BASE + n) is None]
        self.assertEqual(gone, [2, 3, 5, 6])

    def test_streams(self) -> None:
        """Entries end with their stream."""
        last = BASE + 2**40 - 1
        fate.dropped(self.connection, [last])
        fate.dropped(self.connection, [last + 1])
        self.assertEqual([step for _, _, step, _ in self.entries()], [1, 1])


class FateProperties(Case):
    """Whatever is dropped and moved."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 40), min_size=1)), max_size=12))
    def test_found(self, steps: list[tuple[bool, set[int]]]) -> None:
        """Each id leads to what became of it, and all others to themselves."""
        with tempfile.TemporaryDirectory() as folder:
            connection = open_file(f"{folder}/a.db")
            try:
                self.check(connection, steps)
            finally:
                connection.close()

    def check(self, connection: sqlite.Connection, steps: list[tuple[bool, set[int]]]) -> None:
        present = {BASE + n: BASE + n for n in range(41)}  # what is there: by the id that it began with
        gone: set[int] = set()
        highest = BASE + 40
        for drops, picked in steps:
            chosen = sorted((now, first) for first, now in present.items() if (now - BASE) % 41 in picked)
            ids = [now for now, _ in chosen]
            if drops:
                fate.dropped(connection, ids)
                gone.update(first for _, first in chosen)
            else:
                targets = [highest + 1 + n + n // 3 for n in range(len(ids))]
                fate.moved(connection, ids, targets)
                highest = targets[-1] if targets else highest
            for n, (_, first) in enumerate(chosen):
                if drops:
                    del present[first]
                else:
                    present[first] = targets[n]
        for first in range(BASE, BASE + 41):
            self.assertEqual(fate.trace(connection, first), None if first in gone else present[first])
