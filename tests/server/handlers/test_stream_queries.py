"""Stream queries: what they say, and reading while points are taken."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from connectordb.server.handlers import Refusal
from connectordb.server.handlers.data import insert
from connectordb.server.handlers.ranges import Range
from connectordb.server.handlers.stream_queries import Source, keys_of, stream_queries, stream_query
from connectordb.server.handlers.stretches import WentAway
from connectordb.server.storage import Reader

from .case import HandlerCase

PLAIN = "mara/lamp/plain"


class Saying(HandlerCase):
    """What an object says."""

    def test_ranges(self) -> None:
        """By index, by time, or none; what is 0 is not said."""
        for keys, wanted in (
            ({}, None),
            ({"i1": 0, "t1": 0, "limit": 0}, None),
            ({"i2": -3}, Range(True, 0, -3)),
            ({"t1": 2, "limit": -1}, Range(False, t1=2.0)),
            ({"limit": 5}, Range(False, limit=5)),
        ):
            self.assertEqual(stream_query(keys).wanted, wanted, keys)

    def test_keys(self) -> None:
        """Match in any case; nulls are not said."""
        self.assertEqual(keys_of({"Stream": "a", "I1": None}, "x"), {"stream": "a"})

    def test_refused(self) -> None:
        """What is of another kind is told as such."""
        for body, message in (
            ({}, "an array of stream queries"),
            ([None], "where null stands"),
            ([{"stream": 5}], "'stream' in a query is a number"),
            ([{"i1": True}], "'i1' in a query is a truth value"),
            ([{"t1": "1"}], "'t1' in a query is a text"),
            ([{"i1": 2**63}], "'i1' in a query is a number"),
        ):
            with self.subTest(str(body)), self.assertRaisesRegex(Refusal, message):
                stream_queries(body, 10)


class Reading(HandlerCase):
    """Points, taken one by one."""

    def setUp(self) -> None:
        super().setUp()
        self.ask(insert, PLAIN, [{"t": t, "d": "x" * 100} for t in range(1, 901)], who="mara/lamp")
        self.fetched = 0

    def fetch(self, work: Callable[[Reader], Any], /) -> Any:
        """Read, and count."""
        self.fetched += 1
        return self.read(work)

    def test_no_more_is_read_than_is_taken(self) -> None:
        """But for what one reading brings."""
        source = Source(self.series(PLAIN), 0, 900)
        source.attach(self.fetch, 1000)
        points = iter(source)
        self.assertEqual([point["t"] for point in islice(points, 3)], [1, 2, 3])
        self.assertEqual(self.fetched, 1)
        self.assertEqual([point["t"] for point in points], list(range(4, 901)))
        self.assertGreater(self.fetched, 1)

    def test_points_that_go_away(self) -> None:
        """Are missed, and that is told: a shorter answer would look whole."""
        series = self.series(PLAIN)
        source = Source(series, 0, 900)
        source.attach(self.fetch, 1000)
        points = iter(source)
        next(points)
        self.write(lambda writer: writer.clear(series))
        with self.assertRaises(WentAway):
            list(points)
