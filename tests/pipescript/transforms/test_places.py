"""Distances on the earth."""

from __future__ import annotations

import math
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError

from ..running import run

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


class Distances(unittest.TestCase):
    """Along great circles."""

    @given(LATITUDES, LONGITUDES)
    def test_bounds(self, latitude: float, longitude: float) -> None:
        """None is longer than half a circle, to the other side of the earth, and none fails there."""
        half = math.pi * 6371000
        for there in ((latitude, longitude), (-latitude, longitude + 180), (0, 0)):
            (distance,) = run("distance(0, 0)", {"latitude": there[0], "longitude": there[1]})
            self.assertTrue(0 <= distance <= half * (1 + 1e-12))

    def test_known(self) -> None:
        """A degree of the equator; texts that are numbers do."""
        (distance,) = run("distance(0, 1)", {"latitude": "0", "longitude": None})
        self.assertAlmostEqual(distance, 6371000 * math.pi / 180, places=6)

    def test_no_place(self) -> None:
        """Is no distance."""
        self.assertTrue(math.isnan(run("distance(0, 1) + 0", {"latitude": "inf", "longitude": 0})[0]))
        for data in ({"latitude": 1}, 5, [1, 2], {"latitude": "x", "longitude": 1}):
            with self.subTest(data), self.assertRaises(PipeScriptError):
                run("distance(0, 1)", data)
