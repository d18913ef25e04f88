"""Straight-line Python: variables, names, and that texts are compiled once."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.pipescript.source import Source, Value, _code

HEAD = "def double(x):\n    {begin}"


class Writing(unittest.TestCase):
    """What is written does what it says."""

    @given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=40))
    def test_values_keep_apart(self, pairs: list[tuple[int, int]]) -> None:
        """However often each is used, none is overwritten before its last use."""
        source = Source()
        values, expected = [source.compute("{0} + 1", Value("x"))], [8]
        for a, b in pairs:
            values.append(source.compute("({0} + 3 * {1}) % 1009", values[a % len(values)], values[b % len(values)]))
            expected.append((expected[a % len(expected)] + 3 * expected[b % len(expected)]) % 1009)
        source.do("return {0}", values[-1])
        self.assertEqual(source.function("double", HEAD, 4)(7), expected[-1])

    def test_a_chain_needs_two_variables(self) -> None:
        """So that what is computed on the way is not held."""
        source = Source()
        value = source.compute("[{0}]", Value("x"))
        for _ in range(100):
            value = source.compute("[{0}]", value)
        source.do("return {0}", value)
        self.assertLessEqual(len(source.function("double", HEAD, 4).__code__.co_varnames), 3)

    def test_the_same_shape_is_compiled_once(self) -> None:
        """Whatever is handed over."""
        before = _code.cache_info().misses
        for text in ("a", "b'; raise SystemExit", "{0}"):
            source = Source()
            source.do(f"return {source.given(text)} + {{0}}", Value("x"))
            self.assertEqual(source.function("double", HEAD + "\n    'of this shape'", 4)("!"), text + "!")
        self.assertEqual(_code.cache_info().misses, before + 1)

    def test_lines_for_integers(self) -> None:
        """Stand once more before the others, if that is worth it."""
        head = "def double(x):\n    for y in [x]:\n        {begin}\n{for_int}\n        pass"
        for lines, expected in ((1, ["of int", "of any"]), (50, ["of any", "of any"])):
            source = Source()
            for _ in range(lines):
                value = source.compute("'of any'", of_int="'of int'")
            source.do("said.append({0})", value)
            said: list[str] = []
            double = source.function("double", head, 8, for_int="        if y.__class__ is int:", said=said)
            double(1)
            double("1")
            self.assertEqual(said, expected)
