"""Merging streams."""

from __future__ import annotations

import json
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.handlers import Refusal, query
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
        with mock.patch.multiple(query, _POINTS=page, _HELD=page):
            merged = self.value(merge, body=[{"stream": PLAIN}, {"stream": LIGHT}])
        pairs = [(t, f"p{index}") for index, t in enumerate(first)] + [
            (t, f"l{index}") for index, t in enumerate(second)
        ]
        self.assertEqual([(point["t"], point["d"]) for point in merged], sorted(pairs, key=lambda pair: pair[0]))

    def test_large_values(self) -> None:
        """A page ends when enough was read for it, however few points that is."""
        large = "x" * (query.PAGE // 2)
        self.ask(insert, PLAIN, [{"t": t, "d": large} for t in range(1, 21)], who="mara/lamp")
        reply = self.ask(merge, body=[{"stream": PLAIN}, {"stream": PLAIN}])
        self.assertLess(len(reply.body), 4 * query.PAGE)
        self.assertEqual(len(json.loads(self.whole(reply))), 40)

    def setUp(self) -> None:
        super().setUp()
        self.both = self.series(PLAIN), self.series(LIGHT)

    def test_refused(self) -> None:
        """What is no query, not readable, or too much is refused."""
        one = {"stream": PLAIN}
        for body, status in (
            *(({}, 400), ([None], 400), ([5], 400), ([{"stream": 5}], 400), ([{**one, "i1": 1.0}], 400)),
            *(([one] * 11, 403), ([{"stream": "mara"}], 403), ([{"stream": f"{PLAIN}/x"}], 403), ([{}], 403)),
            *(([{**one, "i1": 1, "t1": 1}], 403), ([{**one, "transform": "sum"}], 403), ([{**one, "i1": 9}], 403)),
        ):
            with self.subTest(str(body)[:60]), self.assertRaises(Refusal) as caught:
                self.ask(merge, body=body)
            self.assertEqual(caught.exception.status, status)
        self.refuses(403, "Can't access this resource.", merge, body=[one], who="bob/user")

    def test_datasets(self) -> None:
        """Datasets are not there yet, and say so."""
        self.refuses(403, "datasets are not supported yet by this server", dataset, body={})
