"""Scripts as users hold them."""

from __future__ import annotations

import itertools
import pickle
import threading
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script

from .running import run


class Running(unittest.TestCase):
    """Runs."""

    def test_lazy(self) -> None:
        """A script on endless points has a first result, and takes no more than it needs."""
        taken = 0

        def endless() -> Any:
            nonlocal taken
            for taken in itertools.count(1):
                yield {"t": float(taken), "d": taken}

        results = Script("if $ > 2 | sum")(endless())
        self.assertEqual(taken, 0)
        self.assertEqual(next(results), {"t": 3.0, "d": 3.0})
        self.assertEqual(taken, 3)

    def test_several_at_once(self) -> None:
        """Runs of one script know nothing of each other, in as many threads as one likes."""
        script = Script("sum | map($ > 50, count)")
        points = [{"t": float(t), "d": 1.0} for t in range(2000)]
        expected = list(script(points))
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(list(script(points)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(found, [expected] * 4)

    def test_points_are_not_changed(self) -> None:
        """And nothing but time and data comes out."""
        points = [{"t": 1, "d": {"a": [1]}, "o": "u/d"}, {"t": 2}, {"t": 3, "d": 5, "o": "u/d"}]
        before = repr(points)
        self.assertEqual(list(Script("$")(points)), [{"t": 1, "d": {"a": [1]}}, {"t": 2, "d": None}, {"t": 3, "d": 5}])
        self.assertEqual(repr(points), before)

    def test_numbers_that_no_float_is(self) -> None:
        """Come out as the nearest that is one, or not at all."""
        self.assertEqual(run("$", 2**53 + 1, [2**53 + 1]), [2.0**53, [2.0**53]])
        with self.assertRaisesRegex(PipeScriptError, "too large"):
            run("$", 10**400)
        with self.assertRaisesRegex(PipeScriptError, "more than a float"):
            run("$", [10**400])

    def test_a_whole_number_that_passes(self) -> None:
        """Stays one; where it becomes a text it is as any number is."""
        self.assertEqual([type(value) for value in run("if $ > 1", 5, 2.0)], [int, float])
        self.assertEqual(run("if $ > 1 | append", 1_000_000), ["1e+06"])
        self.assertEqual(run("next | append", 1, 1_000_000), ["1e+06", "1e+06"])

    @given(st.lists(st.integers(-3, 3), max_size=12), st.integers(0, 12))
    def test_without_memory(self, values: list[int], at: int) -> None:
        """What knows nothing of other points gives the same of two halves as of the whole."""
        for text in ("if $ > 0", "$ * 2 + 1", "{'a': $, 'b': -$}", "ifelse($ > 0, $, -$)"):
            self.assertEqual(run(text, *values[:at]) + run(text, *values[at:]), run(text, *values))


class Failing(unittest.TestCase):
    """Which point it was."""

    def test_index_and_time(self) -> None:
        """With what came before already out."""
        for text, values, reason, index, out in (
            ("$ + 1", (1, 2, "x", 4), "algebraic", 2, 2),
            ("if $ > 1 | sum", (1, 2, "x", 4), "not numerical", 2, 1),
            ("map($('a'), count)", ({"a": 1}, 5), "Could not find 'a' in '5'", 1, 0),
            ("sum | if last", (1, 2, "x"), "Float", 2, 1),
            ("ifelse($ > 1, $('a'), $)", (1, 2), "Could not find", 1, 1),
            ("ttrue", (1, "yes"), "Bool", None, 0),
            ("last | $('a')", (1, 2), "Could not find", None, 0),
            ("reduce(sum)", ({"a": 1}, {"a": "b"}), "Float", 1, 1),
            ("while($, sum)", (1, 2, []), "Bool", None, 0),
        ):
            with self.subTest(text):
                points = [{"t": 10.0 * t, "d": d} for t, d in enumerate(values)]
                with self.assertRaises(PipeScriptError) as caught:
                    list(Script(text)(points))
                self.assertEqual(caught.exception.index, index)
                found = []
                with self.assertRaisesRegex(PipeScriptError, reason) as caught:
                    for point in Script(text)(iter(points)):
                        found.append(point)
                error = caught.exception
                self.assertEqual((error.index, len(found)), (index, out))
                if index is not None:
                    self.assertEqual(error.time, 10.0 * index)
                    self.assertIn(f"(at [{index}], the datapoint of time {10.0 * index})", str(error))
                self.assertIsNotNone(error.time)

    def test_travels(self) -> None:
        """With all that it says."""
        with self.assertRaises(PipeScriptError) as caught:
            run("$ + 1", "x")
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((str(again), again.index, again.time), (str(caught.exception), 0, 1))


class Sessions(unittest.TestCase):
    """One run after the other."""

    def test_begun_anew(self) -> None:
        """Each run is a new one, but for what one transform remembers."""
        session = Script("{'n': count, 'any': anytrue}").session()
        points = [{"t": 1, "d": False}]
        self.assertEqual(list(session(points)), [{"t": 1, "d": {"n": 1, "any": False}}])
        self.assertEqual(list(session(points)), [{"t": 1, "d": {"n": 1, "any": True}}])


class Splitting(unittest.TestCase):
    """What a whole sequence comes to is made of what its parts come to."""

    @given(st.lists(st.integers(0, 100), min_size=1), st.integers(0, 20))
    def test_running_aggregates(self, values: list[int], at: int) -> None:
        """The last count, sum and greatest of the whole are made of those of the parts."""
        data = [{"t": float(index + 1), "d": value} for index, value in enumerate(values)]

        def last(text: str, part: list[dict[str, float]]) -> list[float]:
            return [point["d"] for point in Script(f"{text} | if last")(part)]

        for text, together in (("count", sum), ("sum", sum), ("max", max), ("min", min)):
            parts = [*last(text, data[:at]), *last(text, data[at:])]
            self.assertEqual([together(parts)], last(text, data))
