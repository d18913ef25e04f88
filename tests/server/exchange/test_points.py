"""The points of an export from elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.exchange import points as module
from connectordb.server.exchange.points import Survey, batches, first_difference, in_order, points_of, survey

from ...support.case import Case


def nothing(number: int) -> None:
    """Take no notice of how many bytes were read."""


class FileCase(Case):
    """A test case with a file of points."""

    def setUp(self) -> None:
        super().setUp()
        self.top = self.folder()
        self.path = self.top / "data.json"

    def written(self, points: Any) -> Path:
        """Write the file."""
        self.path.write_text(points if isinstance(points, str) else json.dumps(points))
        return self.path


class Reading(FileCase):
    """Points are what an export holds, or an error that says which is not."""

    def test_points(self) -> None:
        """Values of every kind, senders, nulls that are there or left out."""
        points = [{"t": 0, "d": None}, {"t": 1.5}, {"t": 2, "d": {"t": [1]}, "o": "a/b"}, {"t": 2, "d": False, "o": ""}]
        self.assertEqual(
            [point for point, _ in points_of(self.written(points), nothing)],
            [{"t": 0}, {"t": 1.5}, {"t": 2, "d": {"t": [1]}, "o": "a/b"}, {"t": 2, "d": False}],
        )
        self.assertEqual(survey(self.path, nothing), Survey(4, True))
        self.assertEqual(survey(self.written([]), nothing), Survey(0, True))
        self.assertEqual(survey(self.written([{"t": 2}, {"t": 1}]), nothing), Survey(2, False))

    def test_bytes_are_told(self) -> None:
        """How much was read is told as it is read."""
        told: list[int] = []
        self.written([{"t": index} for index in range(100_000)])
        survey(self.path, told.append)
        self.assertEqual(sum(told), self.path.stat().st_size)
        self.assertGreater(len(told), 3)

    def test_wrong(self) -> None:
        """Each of these is an error, which says at which point."""
        for points, expected in (
            ('[{"t":1},', "point 1: "),
            ('{"t":1}', "point 0: "),
            ("", "point 0: "),
            ('[{"t":1},{"t":NaN}]', "point 1: "),
            ('[{"t":1},{"t":1e999}]', "point 1: "),
            ("[[1,2]]", "an object"),
            ('[{"d":1}]', "its time is None"),
            ('[{"t":"1"}]', "its time is '1'"),
            ('[{"t":true}]', "its time is True"),
            ('[{"t":-1}]', "its time is -1"),
            ('[{"t":1,"x":1}]', "'x'"),
            ('[{"t":1,"o":5}]', "'o'"),
            ('[{"t":1,"o":"' + "x" * 200 + '"}]', "'o'"),
            ('[{"t":1,"d":"\\ud800"}]', "UTF-8"),
            ('[{"t":1,"d":' + "[" * 150 + "]" * 150 + "}]", "levels"),
        ):
            with self.subTest(points=points[:40]), self.assertRaises(ValueError) as caught:
                survey(self.written(points), nothing)
            self.assertIn(expected, str(caught.exception))

    def test_no_file(self) -> None:
        """A link, a folder or a pipe is not read."""
        (self.top / "link").symlink_to("/etc/passwd")
        os.mkfifo(self.top / "pipe")
        for name in ("link", "pipe", ".", "absent"):
            with self.subTest(name=name), self.assertRaises(OSError):
                survey(self.top / name, nothing)

    def test_one_too_long(self) -> None:
        """A point of more than the bound is an error."""
        with mock.patch.object(module, "POINT_LIMIT", 1000), self.assertRaises(ValueError):
            survey(self.written([{"t": 1, "d": "x" * 2000_000}]), nothing)


class Order(FileCase):
    """Points come in order of time."""

    @given(st.lists(st.integers(0, 5), max_size=40))
    def test_sorted(self, times: list[int]) -> None:
        """Those of equal times stay as they stood, whatever fits into memory; the pieces are gone afterwards."""
        points = [{"t": t, "d": index} for index, t in enumerate(times)]
        self.written(points)
        with mock.patch.object(module, "_RUN", 7):
            found = survey(self.path, nothing)
            with in_order(self.path, found, self.top, nothing) as ordered:
                self.assertEqual([point for point, _ in ordered], sorted(points, key=lambda point: point["t"]))
        self.assertEqual(list(self.top.iterdir()), [self.path])

    def test_left_early(self) -> None:
        """Whoever stops in the middle leaves nothing open."""
        self.written([{"t": 9 - index} for index in range(9)])
        with mock.patch.object(module, "_RUN", 2), in_order(self.path, Survey(9, False), self.top, nothing) as ordered:
            self.assertEqual(next(ordered)[0], {"t": 1})
        self.assertEqual(list(self.top.iterdir()), [self.path])


class Batches(Case):
    """Points are stored some at a time."""

    @given(st.lists(st.integers(1, 60), max_size=30), st.integers(0, 10))
    def test_all(self, sizes: list[int], skip: int) -> None:
        """All but the first come once, in order, within both bounds unless it is one."""
        points = [({"t": index}, size) for index, size in enumerate(sizes)]
        with mock.patch.multiple(module, BATCH_POINTS=4, BATCH_TEXT=100):
            found = list(batches(iter(points), skip))
        self.assertEqual([point for batch in found for point in batch], [point for point, _ in points[skip:]])
        for batch in found:
            self.assertTrue(0 < len(batch) <= 4)
            self.assertLess(sum(sizes[point["t"]] for point in batch[:-1]), 100)


class Differences(Case):
    """Whether what is stored is the beginning of an export."""

    def test_compared(self) -> None:
        """Time, value and sender count, as they are stored; what goes on behind either end does not."""
        for mine, stored, index in (
            ([], [], None),
            ([{"t": 1}], [], None),
            ([{"t": 1, "d": 1}, {"t": 2}], [{"t": 1.0, "d": 1.0}], None),
            ([{"t": 1}], [{"t": 1}, {"t": 2}], None),
            ([{"t": 1, "d": 1}], [{"t": 1, "d": True}], 0),
            ([{"t": 1}, {"t": 2}], [{"t": 1}, {"t": 3}], 1),
            ([{"t": 1, "o": "a/b"}], [{"t": 1}], 0),
            ([{"t": 1, "d": {"a": 1, "b": 2}}], [{"t": 1, "d": {"b": 2, "a": 1}}], None),
        ):
            with self.subTest(mine=mine, stored=stored):
                pages = [stored[at : at + 1] for at in range(len(stored))]
                self.assertEqual(first_difference(iter([(point, 1) for point in mine]), iter(pages)), index)
