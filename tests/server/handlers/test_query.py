"""Merging streams, and lining them up."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.config import Queries
from connectordb.server.handlers import Refusal, sources, stretches
from connectordb.server.handlers.data import insert
from connectordb.server.handlers.query import dataset, merge

from .case import HandlerCase

LIGHT, PLAIN = "mara/lamp/light", "mara/lamp/plain"
TIMES = st.lists(st.integers(1, 20), max_size=15).map(sorted)


class Merging(HandlerCase):
    """Several streams as one."""

    def test_order(self) -> None:
        """Points come in order of time, of equal times those of the first query first, without their senders."""
        self.ask(insert, PLAIN, [{"t": 1, "d": "a"}, {"t": 2, "d": "b"}, {"t": 2, "d": "c"}], who="mara/lamp")
        self.ask(insert, LIGHT, [{"t": 1, "d": 1}, {"t": 2, "d": 2}, {"t": 3, "d": 3}])  # into the downlink
        down = {"stream": f"{LIGHT}/downlink"}
        merged = self.value(merge, body=[down, {"stream": PLAIN}])
        self.assertEqual([point["d"] for point in merged], [1, "a", 2, "b", "c", 3])
        self.assertNotIn("o", merged[0])
        twice = self.value(merge, body=[{**down, "i1": -1}, {**down, "t1": 1, "limit": 1}])
        self.assertEqual([point["d"] for point in twice], [2, 3])
        self.assertEqual(self.value(merge, body=[]), [])

    @given(TIMES, TIMES, st.integers(1, 9))
    def test_like_sorting(self, first: list[int], second: list[int], page: int) -> None:
        """Whatever the size of pages, a merge is a stable sort of what it merges."""
        self.write(lambda writer: [writer.clear(self.both[0]), writer.clear(self.both[1])] and None)
        for path, name, times in ((PLAIN, "p", first), (LIGHT, "l", second)):
            points = [{"t": float(t), "d": f"{name}{index}"} for index, t in enumerate(times)]
            series = self.both[path == LIGHT]
            self.write(lambda writer, series=series, points=points: writer.insert(series, points, False))  # type: ignore[misc]
        with mock.patch.multiple(sources, _POINTS=page, _HELD=page, _LEAST_HELD=1):
            merged = self.value(merge, body=[{"stream": PLAIN}, {"stream": LIGHT}])
        pairs = [(t, f"p{index}") for index, t in enumerate(first)] + [
            (t, f"l{index}") for index, t in enumerate(second)
        ]
        self.assertEqual([(point["t"], point["d"]) for point in merged], sorted(pairs, key=lambda pair: pair[0]))

    def test_time_zero(self) -> None:
        """A row at time 0 has no time, whichever zero it is."""
        column = {"stream": PLAIN, "interpolator": "count"}
        for zero in (0, 0.0, -0.0):
            rows = self.value(dataset, body={"t1": zero, "t2": 2, "dt": 1, "dataset": {"a": column}})
            self.assertEqual(rows, [{"d": {"a": 0}}, {"t": 1, "d": {"a": 0}}])

    def test_large_values(self) -> None:
        """A page ends when enough was read for it, however few points that is."""
        large = "x" * (stretches.PAGE // 2)
        self.ask(insert, PLAIN, [{"t": t, "d": large} for t in range(1, 21)], who="mara/lamp")
        for handler, body, points in (
            (merge, [{"stream": PLAIN}, {"stream": PLAIN}], 40),
            (dataset, {"t1": 0, "t2": 40, "dt": 1, "dataset": {"a": {"stream": PLAIN, "interpolator": "before"}}}, 40),
        ):
            reply = self.ask(handler, body=body)
            assert reply.rest is not None
            first = reply.rest.next(self.read)
            assert first is not None
            self.assertLess(len(first), 4 * stretches.PAGE)
            self.assertEqual(len(json.loads(first + self.whole(reply))), points)

    def setUp(self) -> None:
        super().setUp()
        self.both = self.series(PLAIN), self.series(LIGHT)

    def test_points_that_are_too_large_together(self) -> None:
        """Are not had in memory all at once; one stream of them is merged."""
        self.ask(insert, PLAIN, [{"t": 1, "d": "x" * 5000}] * 3, who="mara/lamp")
        options = {"queries": Queries(held_bytes=8000)}
        with mock.patch.multiple(sources, _HELD=1, _LEAST_HELD=1):
            self.assertEqual(len(self.value(merge, body=[{"stream": PLAIN}], **options)), 3)
            with self.assertRaisesRegex(Refusal, "too large"):
                self.value(merge, body=[{"stream": PLAIN}] * 2, **options)

    def test_refused(self) -> None:
        """What is no query, not readable, or too much is refused."""
        one = {"stream": PLAIN}
        for body, status in (
            *(({}, 400), ([None], 400), ([5], 400), ([{"stream": 5}], 400), ([{**one, "i1": 1.0}], 400)),
            *(([one] * 11, 403), ([{"stream": "mara"}], 403), ([{"stream": f"{PLAIN}/x"}], 403), ([{}], 403)),
            *(([{**one, "i1": 1, "t1": 1}], 403), ([{**one, "transform": "nosuch"}], 403), ([{**one, "i1": 9}], 403)),
        ):
            with self.subTest(str(body)[:60]), self.assertRaises(Refusal) as caught:
                self.value(merge, body=body)
            self.assertEqual(caught.exception.status, status)
        self.refuses(403, "Can't access this resource.", merge, body=[one], who="bob/user")


class Datasets(HandlerCase):
    """Streams as columns."""

    def setUp(self) -> None:
        super().setUp()
        points = [{"t": t, "d": t * 10} for t in range(1, 31)]
        self.ask(insert, LIGHT, points, who="mara/lamp")
        self.ask(insert, PLAIN, [{"t": 20, "d": "x"}, {"t": 22, "d": None}], who="mara/lamp")

    def rows(self, **body: Any) -> Any:
        """Return a dataset's times and values."""
        return [(row.get("t"), row["d"]) for row in self.value(dataset, body=body)]

    def test_by_time(self) -> None:
        """A row at each step, before the end; one at 0 has no time."""
        n = {"n": {"stream": LIGHT, "interpolator": "sum"}}
        self.assertEqual(self.rows(t1=0, t2=4, dt=2, dataset=n), [(None, {"n": 0}), (2, {"n": 30})])

    def test_a_column_reaches_back(self) -> None:
        """Ten points from before the first row, unless it says where it begins, or there are none after that row."""
        n = {"stream": LIGHT, "interpolator": "count"}
        for t1, own, counted in (
            (20, {}, 10),
            (4, {}, 4),
            (20, {"t1": 18}, 2),
            (20, {"i1": 0, "i2": 5}, 5),
            (20, {"limit": 3}, 3),
            (99, {}, 30),
        ):
            with self.subTest(t1=t1, own=own):
                self.assertEqual(self.rows(t1=t1, t2=t1 + 1, dt=1, dataset={"n": {**n, **own}}), [(t1, {"n": counted})])
        merged = {"n": {"merge": [{"stream": LIGHT}, {"stream": PLAIN}], "interpolator": "count"}}
        self.assertEqual(self.rows(t1=21, t2=22, dt=1, dataset=merged), [(21, {"n": 11})])

    def test_by_points(self) -> None:
        """A row for each point of a stream, or of several merged ones."""
        n = {"n": {"stream": LIGHT, "interpolator": "count"}}
        self.assertEqual(self.rows(stream=PLAIN, dataset=n), [(20, {"x": "x", "n": 20}), (22, {"x": None, "n": 2})])
        self.assertEqual(self.rows(stream=PLAIN, t1=21, dataset=n), [(22, {"x": None, "n": 11})])
        self.assertEqual(
            self.rows(merge=[{"stream": LIGHT, "i1": -1}, {"stream": PLAIN}], t1=21, dataset=n),
            [(20, {"x": "x", "n": 9}), (22, {"x": None, "n": 2}), (30, {"x": 300, "n": 8})],
        )

    def test_columns_that_fail(self) -> None:
        """A value that cannot be added up."""
        words = {"n": {"stream": PLAIN, "interpolator": "sum"}}
        with self.assertRaises(Refusal) as caught:
            self.rows(t1=19, t2=30, dt=1, dataset=words)
        self.assertEqual((caught.exception.status, str(caught.exception)), (500, "Could not convert 'x' to Float"))

    def test_refused(self) -> None:
        """What makes no sense, or too much of it; messages are held to the original's by its recordings."""
        one = {"stream": LIGHT, "interpolator": "count"}
        many = {f"c{n}": one for n in range(101)}
        for body, status in (
            *(([], 400), ("text", 400), (None, 403), ({}, 403), ({"dataset": [one]}, 400)),
            *(({"t1": 0, "t2": 4, "dt": 1, "dataset": {"a": bad}}, s) for bad, s in ((None, 403), (5, 400), ({}, 403))),
            ({"t1": 0, "t2": 4, "dt": 1, "dataset": {"a": {**one, "allownil": 1}}}, 400),
            ({"t1": 0, "t2": 4, "dt": 1, "dataset": {"a": {**one, "stream": f"{LIGHT}/x"}}}, 403),
            ({"t1": 0, "t2": 4, "dt": 1, "dataset": {"a": {**one, "interpolator": "firs"}}}, 403),
            ({"t1": 0, "t2": 4, "dt": 1, "dataset": many}, 403),
            ({"t1": 1e300, "t2": 1.1e300, "dt": 1e299, "dataset": {"a": one}}, 200),
            ({"t1": 1e17, "t2": 1.1e17, "dt": 1, "dataset": {"a": one}}, 403),
            ({"t1": 0, "t2": 4, "dt": 1, "posttransform": "nosuch", "dataset": {"a": one}}, 403),
            ({"stream": PLAIN, "merge": [one], "dataset": {"a": one}}, 403),
            ({"stream": PLAIN, "dt": 1, "dataset": {"a": one}}, 403),
            ({"stream": PLAIN, "dataset": {"x": one}}, 403),
        ):
            with self.subTest(str(body)[:100]):
                try:
                    self.value(dataset, body=body)
                    got = 200
                except Refusal as refusal:
                    got = refusal.status
                self.assertEqual(got, status)
        whole = {"t1": 0, "t2": 4, "dt": 1, "dataset": {"a": one}}
        self.refuses(403, "Can't access this resource.", dataset, body=whole, who="bob/user")
