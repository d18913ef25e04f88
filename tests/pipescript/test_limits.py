"""Budgets: what is counted, what is given back, and that nothing goes beyond."""

from __future__ import annotations

import itertools
import json
import tracemalloc
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script, interpolator
from connectordb.pipescript.limits import Limits, Run, bounded, size_of

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=4), below, max_size=4),
    max_leaves=20,
)


class Sizes(unittest.TestCase):
    """How large a value is."""

    @given(JSON)
    def test_about_what_is_written(self, value: Any) -> None:
        """At least a fifth of it, so that no value is much larger than what it counts."""
        self.assertGreaterEqual(5 * size_of(value, 10**9), len(json.dumps(value, ensure_ascii=False)) // 6)

    def test_shared_parts_count_each_time(self) -> None:
        """A value that is small in memory and large when it is written is large."""
        value: Any = [1.0]
        for _ in range(40):
            value = [value, value]
        with self.assertRaisesRegex(PipeScriptError, "Reached maximum value size"):
            size_of(value, 10_000_000)

    def test_nesting(self) -> None:
        """What is nested deeper than JSON is written does not come to be."""
        value: Any = 1.0
        for _ in range(300):
            value = {"a": value}
        with self.assertRaisesRegex(PipeScriptError, "Reached maximum nesting"):
            bounded(value, Run(Limits()))


class Runs(unittest.TestCase):
    """What a run holds."""

    def test_given_back(self) -> None:
        """What an inner run held is no longer held when it is over."""
        run = Run(Limits(held_max=100))
        for _ in range(10):
            inner = run.inner(True).inner(True)
            inner.hold(60)
            self.assertEqual(run.held, 60)
            inner.release()
        self.assertEqual(run.held, 0)
        with self.assertRaisesRegex(PipeScriptError, "Reached maximum memory 100"):
            run.inner(False).hold(101)

    def test_watched(self) -> None:
        """Who watches is asked now and then, and may end it."""

        class Late(Exception):
            pass

        def watch() -> None:
            raise Late

        entries = {str(number): 1.0 for number in range(1000)}
        for script in ("reduce(sum)", "apply($ + 1)", "filter($ > 5)", "top(3)", "imap(t, $)"):
            with self.subTest(script), self.assertRaises(Late):
                for _ in Script(script, limits=Limits(watch=watch))({"t": t, "d": entries} for t in itertools.count()):
                    pass

    def test_many_operations_on_one_point(self) -> None:
        """Are watched, however they stand: each may take long where the point is large."""
        many = 200
        for script in (
            " and ".join(["$ == $"] * many),
            " | ".join(["if $ == $"] * many),
            " and ".join(["$ == $"] * many) + " and last",
            "map(" + " and ".join(["$ == $"] * many) + ", count)",
            " | ".join(["if last"] * 20),
        ):
            with self.subTest(script[:40]):
                calls: list[None] = []
                points = Script(script, limits=Limits(watch=lambda calls=calls: calls.append(None)))(
                    [{"t": 1.0, "d": 1.0}]
                )
                self.assertEqual(len(list(points)), 1)
                self.assertGreater(len(calls), 9)


class Growing(unittest.TestCase):
    """Scripts that make more and more."""

    LIMITS = Limits(value_max=100_000, held_max=1_000_000, string_max=10_000)

    def test_what_grows(self) -> None:
        """Is ended, with little memory taken."""
        for script, reason in (
            ("{'a': $, 'b': $}" + " | {'a': $, 'b': $}" * 60, "value size"),
            ("{'a': 1, 'b': $} | " + "set('x', $) | set('y', $) | " * 30 + "$", "value size"),
            ("{'a': 1, 'b': $} | " + "apply(" * 40 + "{'a': $, 'b': $}" + ")" * 40, "fail|object|value size"),
            ("'ab' + $ | " + "$ + $ | " * 60 + "$", "string length"),
            ("map(count, append)", "memory"),
            ("map(count, imap(count, append))", "memory"),
            ("count + 'x':append + 'x' | new", "memory|algebraic"),
            ("{'a': append} | map(t, $)", "memory|string"),
            ("{'a': $}" + " | {'a': $}" * 400, "nesting"),
        ):
            with self.subTest(script[:40]):
                text = "text" * 20
                tracemalloc.start()
                with self.assertRaisesRegex(PipeScriptError, reason):
                    for _ in Script(script, limits=self.LIMITS)({"t": t, "d": text} for t in range(1, 200_000)):
                        pass
                self.assertLess(tracemalloc.get_traced_memory()[1], 20_000_000)
                tracemalloc.stop()

    def test_interpolators(self) -> None:
        """Have the same bounds, in each window."""
        column = interpolator("append", limits=self.LIMITS)([{"t": t, "d": "text" * 1000} for t in range(1, 9)])
        column(2)
        column(4)
        with self.assertRaisesRegex(PipeScriptError, "Reached maximum string length 10000"):
            column(8)

    def test_what_begins_anew_does_not_grow(self) -> None:
        """However long it goes on."""
        points = [{"t": t, "d": "text" if t % 50 else ""} for t in range(50_000)]
        for script in ("iwhile($ != '', append)", "while($ != '', append)"):
            with self.subTest(script):
                self.assertTrue(list(Script(script, limits=self.LIMITS)(points)))
