"""Which points."""

from __future__ import annotations

import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.limits import Limits

from ..running import run

VALUES = st.lists(st.sampled_from([0.0, 1.0, 2.5]) | st.sampled_from(["a", "1", "", None]), max_size=10)


class Selecting(unittest.TestCase):
    """What is special about a point."""

    @given(VALUES, st.integers(1, 4))
    def test_like_python(self, values: list[Any], places: int) -> None:
        """First, last, new, and what comes next."""
        number = len(values)
        texts = ["" if value is None else f"{value:g}" if isinstance(value, float) else value for value in values]
        self.assertEqual(run("first", *values), [at == 0 for at in range(number)])
        self.assertEqual(run("last", *values), [at == number - 1 for at in range(number)])
        self.assertEqual(run("new", *values), [text not in texts[:at] for at, text in enumerate(texts)])
        following: list[Any] = [*values[places:], *[None] * places][:number]
        self.assertEqual(run(f"next({places})", *values), following)

    @given(VALUES)
    def test_conditions(self, values: list[Any]) -> None:
        """Together with its opposite, ``if`` lets each pass once; one may look ahead."""
        for condition in ("$ == 1", "changed", "first", "last", "next == 1"):
            passed = run(f"if {condition}", *values) + run(f"if not ({condition})", *values)
            self.assertEqual(sorted(map(repr, passed)), sorted(map(repr, values)))

    def test_changed(self) -> None:
        """As equality has it, with null before the first."""
        self.assertEqual(
            run("changed", None, None, 0, False, "0", [1], [1.0]), [False, False, True, False, False, True, False]
        )

    def test_constant_conditions(self) -> None:
        """Of any kind."""
        for condition, passes in (("1", True), ("0", False), ("'true'", True), ("''", False), ("true", True)):
            with self.subTest(condition):
                self.assertEqual(run(f"if {condition}", 5), [5] if passes else [])
        with self.assertRaisesRegex(PipeScriptError, "if can't be converted to boolean"):
            run("if 'yes'", 5)

    def test_bounds(self) -> None:
        """Neither memory nor looking ahead are endless."""
        with self.assertRaisesRegex(PipeScriptError, "Reached maximum split amount 2"):
            run("new", 1, 2, 3, limits=Limits(split_max=2))
        with self.assertRaisesRegex(PipeScriptError, "more than 5 datapoints"):
            run("next(6)", limits=Limits(peek_max=5))

    def test_rand(self) -> None:
        """Is from 0 up to 1, another one each time."""
        found = run("rand", *range(50))
        self.assertTrue(all(0 <= value < 1 for value in found))
        self.assertEqual(len(set(found)), 50)
