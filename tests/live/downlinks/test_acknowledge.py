"""Acknowledging: what a callback's returned value writes."""

from __future__ import annotations

import unittest

from connectordb import DatapointWarning
from connectordb.exceptions import LocalProtocolError
from connectordb.live.downlinks.acknowledge import Claim, points_to_write

COMMANDED = [{"t": 5.0, "d": True, "o": "mara/user"}, {"t": 6.0, "d": None}]


class PointsToWriteTests(unittest.TestCase):
    """Returned values."""

    def test_accepted(self) -> None:
        """True, a list, one datapoint, nothing."""
        for returned, expected in (
            (True, [{"t": 5.0, "d": True}, {"t": 6.0, "d": None}]),
            (False, []),
            (None, []),
            ([], []),
            ({"d": 3}, [{"t": 99.0, "d": 3}]),
            ({"d": None, "t": 7}, [{"t": 7, "d": None}]),
            ([{"d": 1, "t": 4.5, "o": "x"}, {"d": 2}], [{"t": 4.5, "d": 1}, {"t": 99.0, "d": 2}]),
        ):
            with self.subTest(returned):
                self.assertEqual(points_to_write(returned, COMMANDED, 99.0), expected)

    def test_no_time(self) -> None:
        """A time of 0, which a server takes for none, becomes the present."""
        for returned in (True, {"d": 1, "t": 0}, [{"d": 1, "t": 0.0}]):
            self.assertEqual(points_to_write(returned, [{"d": 1}], 99.0), [{"t": 99.0, "d": 1}])

    def test_doubtful(self) -> None:
        """Milliseconds, and an integer that a server keeps as another, are written as by 0.3.5, with a warning."""
        for returned, why in (
            ({"d": 1, "t": 1767225600000}, "may be milliseconds"),
            ({"d": [2**53 + 1]}, "the integer 9007199254740993"),
        ):
            with self.assertWarnsRegex(DatapointWarning, f"a datapoint that has .*{why}"):
                self.assertEqual(points_to_write(returned, COMMANDED, 99.0), [{"t": 99.0, **returned}])

    def test_refused(self) -> None:
        """Anything else is an error that says what was returned and what is expected."""
        for returned in (
            *(1, 0, "yes", ({"d": 1},), {"t": 1}, {}, [1], [[{"d": 1}]], {1: 2}, {"d": 1, "t": False}),
            *({"d": float("nan")}, {"d": {1}}, {"d": 1, "t": "now"}, {"d": 1, "t": True}, {"d": 1, "t": float("inf")}),
        ):
            with self.subTest(returned), self.assertRaises(LocalProtocolError):
                points_to_write(returned, COMMANDED, 99.0)
        with self.assertRaisesRegex(LocalProtocolError, r"returned 'yes' \(str\): expected True"):
            points_to_write("yes", COMMANDED, 99.0)


class ClaimTests(unittest.TestCase):
    """Who of several callbacks acknowledges."""

    def test_first(self) -> None:
        """The first takes it."""
        claim = Claim()
        self.assertEqual([claim.take(), claim.take()], [True, False])

    def test_refusals(self) -> None:
        """The last that gives it up speaks for all, unless somebody has taken it."""
        claim = Claim(3)
        self.assertEqual([claim.give_up() for _ in range(3)], [False, False, True])
        claim = Claim(2)
        claim.take()
        self.assertFalse(claim.give_up() or claim.give_up())
