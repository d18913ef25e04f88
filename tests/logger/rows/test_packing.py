"""Tests of `connectordb.logger.rows.packing`."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from connectordb.logger.rows.packing import pack, rows_in
from connectordb.runtime import sqlite
from tests.support.case import Case

times = st.floats(1e-6, 1e300) | st.floats(1e9, 2e9) | st.integers(1, 2**53).map(float)
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class PackingTests(Case):
    """Rows are packed as they are, in order, up to a number and a size."""

    def setUp(self) -> None:
        super().setUp()
        self.file = sqlite.connect(self.folder() / "a.db")
        self.addCleanup(self.file.close)
        self.file.execute("CREATE TABLE point (id INTEGER PRIMARY KEY, t REAL NOT NULL, d TEXT NOT NULL)")

    def fill(self, points: list[tuple[float, str]]) -> None:
        """Have the table hold just these."""
        self.file.execute("DELETE FROM point")
        self.file.executemany("INSERT INTO point (t, d) VALUES (?, ?)", points)

    @given(st.lists(st.tuples(times, values), min_size=1, max_size=5))
    def test_same(self, points: list[tuple[float, object]]) -> None:
        """Every time is the same float after the way through text, and every value the same value."""
        self.fill([(t, json.dumps(value)) for t, value in points])
        packed = pack(self.file, 1, 2**62, 100)
        assert packed is not None
        self.assertEqual([(point["t"], point["d"]) for point in json.loads(packed.text)], points)
        self.assertEqual((packed.count, packed.first, packed.last), (len(points), 1, len(points)))

    def test_limits(self) -> None:
        """So many rows, and about so many bytes, but so many rows at least."""
        self.fill([(1.0 + n, f'"{n}{"x" * 100}"') for n in range(5)])
        for limit, size, at_least, count in ((3, 10**6, 1, 3), (5, 300, 1, 2), (5, 1, 2, 2), (9, 10**6, 1, 5)):
            with self.subTest(limit=limit, size=size):
                packed = pack(self.file, 1, 2**62, limit, size, at_least)
                assert packed is not None
                self.assertEqual(packed.count, count)
                self.assertEqual((packed.begins, packed.ends), (1.0, float(count)))
                self.assertEqual(len(rows_in(self.file, 1, 2**62, limit, size, at_least)), count)

    def test_too_long(self) -> None:
        """Of rows that are too long together so many are taken as fit, without making a text of all."""
        self.fill([(1.0 + n, f'"{"x" * 50_000}"') for n in range(5)])
        for size, at_least, count in ((160_000, 1, 3), (1, 1, 1), (70_000, 4, 4), (10**6, 1, 5)):
            packed = pack(self.file, 1, 2**62, 9, size, at_least)
            assert packed is not None
            self.assertEqual((packed.count, packed.last), (count, count))
            self.assertEqual(len(json.loads(packed.text)), count)

    def test_nothing(self) -> None:
        """Where there are none there is nothing to send."""
        self.fill([])
        self.assertIsNone(pack(self.file, 1, 2**62, 100))
