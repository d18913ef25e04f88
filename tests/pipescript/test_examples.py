"""What the documentation shows of each transform and interpolator is what it does."""

from __future__ import annotations

import unittest
from importlib.util import find_spec

from connectordb.pipescript import INTERPOLATORS, TRANSFORMS, interpolator
from connectordb.pipescript.examples import ASKED, EXAMPLES

from .running import run, timed


class Shown(unittest.TestCase):
    """Examples, run."""

    def test_each_has_one(self) -> None:
        """And nothing else has."""
        self.assertEqual(EXAMPLES.keys(), TRANSFORMS.keys())
        self.assertEqual(ASKED.keys(), INTERPOLATORS.keys())

    def test_transforms(self) -> None:
        """Each uses what it is an example of, and gives what it shows."""
        for name, examples in EXAMPLES.items():
            if name == "sentiment" and find_spec("afinn") is None:
                continue
            for example in examples:
                with self.subTest(example.script):
                    self.assertIn(name, example.script)
                    pairs = isinstance(example.points[0], tuple)
                    found = timed(example.script, example.points) if pairs else run(example.script, *example.points)
                    self.assertEqual(found, list(example.results))

    def test_interpolators(self) -> None:
        """Asked one time after the other."""
        for name, asked in ASKED.items():
            with self.subTest(name):
                column = interpolator(name)([{"t": t, "d": d} for t, d in asked.points])
                self.assertEqual([column(time) for time in asked.times], list(asked.results))
