"""Stream queries: what they say."""

from __future__ import annotations

from connectordb.server.handlers import Refusal
from connectordb.server.handlers.ranges import Range
from connectordb.server.handlers.stream_queries import keys_of, stream_queries, stream_query

from .case import HandlerCase


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
