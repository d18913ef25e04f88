"""The two ways in which a script runs, and several side by side."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from random import Random
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script, source
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


#: Integers as they come in: small, at the edge of what floats tell apart, and beyond all floats.
INTEGERS = st.integers(-9, 99) | st.sampled_from([2**53, 2**53 + 1, -(2**63) - 1, 10**308, 10**400])


def outcome(text: str, points: list[Point]) -> str:
    """Return what a script makes of points, which may be an error."""
    results: list[Any] = []
    try:
        results.extend(Script(text, tz="UTC")(points))
    except PipeScriptError as error:
        results.append(error)
    return repr(results)


class WholeNumbers(unittest.TestCase):
    """Integers that come in have lines of their own."""

    def assert_the_same(self, text: str, points: list[Point]) -> None:
        """Check that a script makes the same of points without such lines."""
        expected = outcome(text, points)
        with mock.patch.object(source, "_FEW", 0):
            self.assertEqual(outcome(text, points), expected, text)

    @given(
        st.integers(0, 10**9),
        st.lists(st.tuples(INTEGERS | st.floats(-5, 5) | st.booleans() | st.text(max_size=2), st.booleans())),
    )
    def test_the_same_results(self, seed: int, values: list[tuple[Any, bool]]) -> None:
        """As without them."""
        text = script(Random(seed))
        if "rand" not in text:
            points = [
                {"t": float(t), "d": value} | ({"o": "a/b"} if more else {}) for t, (value, more) in enumerate(values)
            ]
            self.assert_the_same(text, points)

    def test_edges(self) -> None:
        """Of what floats tell apart: integers are compared as the floats that they are."""
        edge: list[Point] = [{"t": 1.0, "d": 2**53 + 1}, {"t": 2.0, "d": 2**53}, {"t": 3.0, "d": 1, "o": "a/b"}]
        for text in ("if $ == 9007199254740992", "if $ > 9007199254740992", "if $ < 2", "$ + $", "if $ - 1 < $", "-$"):
            self.assert_the_same(text, edge)
        self.assertEqual(
            list(Script("if $ == 9007199254740992")(edge)), [{"t": 1.0, "d": 2.0**53}, {"t": 2.0, "d": 2**53}]
        )
        self.assertEqual(list(Script("if $ < 2")(edge)), [{"t": 3.0, "d": 1.0}])
        with self.assertRaisesRegex(PipeScriptError, "too large"):
            list(Script("if $ > 50")([{"t": 1.0, "d": 10**400}]))


class Beside(unittest.TestCase):
    """Programs over the same points."""

    def test_beside(self) -> None:
        """Results come with their points, and the failure of a sequence where it is."""
        rows = beside(failing(2), [program("sum | next"), program("last")], Run(Limits()))
        self.assertEqual([r["d"] for r in next(rows)], [3.0, False, 1.0])
        with self.assertRaises(PipeScriptError):
            list(rows)
