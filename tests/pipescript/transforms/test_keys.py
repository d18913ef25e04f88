"""Splitting by key, held to running the script on the points of each."""

from __future__ import annotations

import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.limits import Limits
from connectordb.pipescript.values import to_text

from ..running import run

KEYS = st.one_of(
    st.booleans(), st.floats(-2, 2), st.integers(-2, 2), st.none(), st.sampled_from(["true", "1", "", "a"])
)


class Splitting(unittest.TestCase):
    """Each key has a script of its own."""

    @given(st.lists(KEYS, max_size=10), st.sampled_from(["count", "sum", "append", "{'n': count}"]))
    def test_like_one_after_the_other(self, values: list[Any], script: str) -> None:
        """Keys are the same where their texts are; true is not 1."""
        parts: dict[str, list[Any]] = {}
        for value in values:
            parts.setdefault(to_text(float(value) if type(value) is int else value), []).append(value)
        try:
            expected = {key: run(script, *part)[-1] for key, part in parts.items()}
        except PipeScriptError:
            with self.assertRaises(PipeScriptError):
                run(f"map($, {script})", *values)
            return
        self.assertEqual(run(f"map($, {script})", *values), [expected] if values else [])
        self.assertEqual(run(f"imap($, {script})", *values)[-1:], [expected] if values else [])

    def test_results_so_far_are_kept_apart(self) -> None:
        """One that was returned does not change any more."""
        self.assertEqual(run("imap($, count)", "a", "a", "b"), [{"a": 1}, {"a": 2}, {"a": 2, "b": 1}])

    def test_bound(self) -> None:
        """There are only so many keys."""
        for script in ("map($, count)", "imap($, count)"):
            with self.assertRaisesRegex(PipeScriptError, "Reached maximum map amount 3"):
                run(script, 1, 2, 3, 4, limits=Limits(split_max=3))

    def test_a_key_that_looks_ahead(self) -> None:
        """Is what comes then."""
        self.assertEqual(run("map(next, count)", "a", "b", "b"), [{"b": 2, "": 1}])
