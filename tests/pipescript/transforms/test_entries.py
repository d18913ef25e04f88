"""Entries of objects, held to comprehensions."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError

from ..running import run

OBJECTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(-9, 9), max_size=6)


class Each(unittest.TestCase):
    """What is done to entries."""

    @given(OBJECTS, st.integers(-1, 7))
    def test_like_python(self, data: dict[str, int], most: int) -> None:
        """Whatever is in it."""
        self.assertEqual(run("apply($ * 2)", data), [{key: 2 * value for key, value in data.items()}])
        self.assertEqual(run("filter($ > 0)", data), [{key: value for key, value in data.items() if value <= 0}])
        self.assertEqual(run("reduce(sum)", data), [sum(data.values()) if data else None])
        self.assertEqual(run("set('a', 5)", data), [{**data, "a": 5}])
        self.assertEqual(run("del('a')", data), [{key: value for key, value in data.items() if key != "a"}])
        for name, reverse in (("top", True), ("bottom", False)):
            (best,) = run(f"{name}({most})", data)
            self.assertEqual(sorted(best.values()), sorted(sorted(data.values(), reverse=reverse)[: max(most, 0)]))
            self.assertLessEqual(best.items(), data.items())

    @given(OBJECTS)
    def test_percent(self, data: dict[str, int]) -> None:
        """Shares add up to one, or are none."""
        (shares,) = run("percent", data)
        self.assertAlmostEqual(sum(shares.values()), any(value > 0 for value in data.values()))

    def test_each_is_alone(self) -> None:
        """A sequence of one, in which a script may look ahead."""
        for script, expected in (("count", 1), ("last", True), ("next", None), ("first and last", True)):
            with self.subTest(script):
                self.assertEqual(run(f"apply({script})", {"a": 1, "b": 2}), [{"a": expected, "b": expected}])

    def test_others(self) -> None:
        """Are no objects."""
        for script in ("apply($)", "filter($)", "reduce($)", "top(1)", "percent", "set('a', 1)", "del('a')"):
            for data in (None, 5, "a", [1]):
                with self.subTest(script, data=data), self.assertRaisesRegex(PipeScriptError, "object|be reduced"):
                    run(script, data)
