"""Points as text, which looks like the points."""

from __future__ import annotations

import unittest

from hypothesis import given

from connectordb.protocol import json_text, rest, restamp
from connectordb.protocol.encoded import Encoded
from connectordb.protocol.paths import Path
from connectordb.protocol.points import Datapoint
from tests.support.strategies import datapoints


class EncodedTests(unittest.TestCase):
    """What is encoded can be read as if it were not."""

    @given(datapoints())
    def test_it_is_a_sequence_of_these_points(self, points: list[Datapoint]) -> None:
        """Length, points and slices are those of the points."""
        encoded = Encoded(json_text.dumps(points), len(points), False)
        self.assertEqual(encoded, points)
        self.assertEqual(list(encoded), points)
        self.assertEqual((len(encoded), encoded[1:], encoded[-1:]), (len(points), points[1:], points[-1:]))

    def test_it_is_sent_as_it_is(self) -> None:
        """An insert takes the text, and encodes nothing anew."""
        text = b'[ {"t": 1, "d": 2} ]'
        request = rest.insert(Path.parse("a/b/c"), Encoded(text, 1, True))
        self.assertEqual((request.body, request.inserts), (text, 1))

    def test_only_what_is_not_flat_is_looked_at(self) -> None:
        """Of flat values none is damaged by restamping."""
        points = [{"t": 1.0, "d": {}}]
        self.assertTrue(restamp.are_damaged_by_restamping(points))
        self.assertTrue(restamp.are_damaged_by_restamping(Encoded(json_text.dumps(points), 1, False)))
        self.assertFalse(restamp.are_damaged_by_restamping(Encoded(b'[{"t":1,"d":1}]', 1, True)))

    def test_it_is_shown_in_short(self) -> None:
        """A million points are no page of text."""
        self.assertEqual(repr(Encoded(b"[]", 0, True)), "<0 points in 2 bytes>")


if __name__ == "__main__":
    unittest.main()
