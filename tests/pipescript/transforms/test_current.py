"""What a point itself says."""

from __future__ import annotations

import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError

from ..running import run, timed


class Parts(unittest.TestCase):
    """Elements of lists, objects and texts."""

    @given(st.lists(st.integers(0, 9), max_size=5) | st.text(max_size=5), st.integers(-6, 6))
    def test_like_python(self, data: Any, index: int) -> None:
        """Of texts the bytes; what is not there fails."""
        items = data if isinstance(data, list) else data.encode()
        try:
            expected = items[index]
        except IndexError:
            with self.assertRaisesRegex(PipeScriptError, "Could not find"):
                run(f"$({index})", data)
        else:
            self.assertEqual(run(f"$({index})", data), [expected])
        self.assertEqual(run("length", data), [len(items)])

    def test_objects(self) -> None:
        """A key is a text; null can be under it."""
        self.assertEqual(run("$(1)", {"1": "x"}), ["x"])
        self.assertEqual(run("$(1000000)", {"1e+06": None}), [None])
        for data in (None, 5, True, {}, {"b": 1}):
            with self.subTest(data), self.assertRaisesRegex(PipeScriptError, "Could not find"):
                run("$('a')", data)

    def test_half_a_character(self) -> None:
        """Counts three bytes, as the mark that stands for what is broken."""
        self.assertEqual(run("length", "a\ud800"), [4])

    def test_time(self) -> None:
        """Is a number, and that of the point that a pipe passes on."""
        self.assertEqual(timed("t", [(3, "x")]), [(3, 3.0)])
        self.assertEqual(timed("tshift(5) | t", [(3, "x")]), [(8, 8.0)])
        self.assertEqual(timed("tshift(5) + 0 | t", [(3, 1)]), [(3, 3.0)])
