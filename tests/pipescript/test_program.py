"""The two ways in which a script runs, and several side by side."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.ahead import Point
from connectordb.pipescript.compiler import compiled
from connectordb.pipescript.limits import Limits, Run
from connectordb.pipescript.parser import parse
from connectordb.pipescript.program import Program, beside
from connectordb.pipescript.registry import Context

from .making import script


def program(text: str) -> Program:
    """Return a script, compiled."""
    return compiled(parse(text), Context("UTC"))


def failing(number: int) -> Iterator[Point]:
    """Yield so many points, and then fail."""
    for t in range(1, number + 1):
        yield {"t": float(t), "d": float(t)}
    raise PipeScriptError("no more")


class Ways(unittest.TestCase):
    """Step by step, and as a sequence."""

    @given(st.integers(0, 10**9), st.lists(st.floats(-5, 5) | st.booleans(), max_size=6))
    def test_the_same_results(self, seed: int, values: list[float]) -> None:
        """Whichever way it runs; the data alone is that of the points."""
        text = script(Random(seed))
        try:
            made = program(text)
        except PipeScriptError:
            return
        if not made.steps or "rand" in text:
            return
        points: list[Point] = [{"t": float(t), "d": value} for t, value in enumerate(values, 1)]
        steps, data = made.start(Run(Limits())), made.values(Run(Limits()))
        flow = made.flow(iter(points), Run(Limits()))
        for point in points:
            try:
                expected = steps(point)
            except PipeScriptError as error:
                for way, given in ((next, flow), (data, point)):
                    with self.assertRaises(PipeScriptError) as caught:
                        way(given)
                    self.assertEqual(caught.exception.reason, error.reason)
                return
            self.assertEqual(repr(next(flow)), repr(expected))
            self.assertEqual(repr(data(point)), repr(expected["d"]))
        self.assertEqual(list(flow), [])


class Beside(unittest.TestCase):
    """Programs over the same points."""

    def test_beside(self) -> None:
        """Results come with their points, and the failure of a sequence where it is."""
        rows = beside(failing(2), [program("sum | next"), program("last")], Run(Limits()))
        self.assertEqual([r["d"] for r in next(rows)], [3.0, False, 1.0])
        with self.assertRaises(PipeScriptError):
            list(rows)
