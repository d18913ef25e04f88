"""Operators as they are written for a script, held to the general functions behind them."""

from __future__ import annotations

import math
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script
from connectordb.pipescript.arithmetic import divided, negated, operator, opposite, power, remainder
from connectordb.pipescript.limits import Limits
from connectordb.pipescript.parser import parse
from connectordb.pipescript.tree import BINDING, Binary, Call, Constant, Node, Prefix, walked

VALUES = st.one_of(
    st.floats(),
    st.integers(-3, 3),
    st.booleans(),
    st.none(),
    st.sampled_from(["", "a", "1", " 2 ", "true", "nan", "-inf", "1e5"]),
    st.lists(st.integers(0, 2), max_size=2),
)
LEAVES: st.SearchStrategy[Node] = st.just(Call("$")) | st.builds(
    Constant, st.sampled_from([0.0, 1.0, 2.5, 1e300, math.inf, True, False, "a", "3", ""])
)
NODES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda below: (
        st.builds(Binary, st.sampled_from(list(BINDING)), below, below)
        | st.builds(Prefix, st.sampled_from(["not", "-"]), below)
    ),
    max_leaves=10,
)


def evaluated(node: Node, data: Any) -> Any:
    """Return what a script is at a value, by the general functions alone."""
    done: dict[int, Any] = {}
    for part in walked(node):
        values = [done[id(each)] for each in part.parts]
        if isinstance(part, Constant):
            done[id(part)] = part.value
        elif isinstance(part, Binary):
            done[id(part)] = operator(part.operator, Limits())(*values)
        elif isinstance(part, Prefix):
            done[id(part)] = (opposite if part.operator == "not" else negated)(*values)
        else:
            done[id(part)] = data
    return done[id(node)]


class Written(unittest.TestCase):
    """What is written for a script."""

    @given(NODES, VALUES)
    def test_like_the_general_functions(self, node: Node, value: Any) -> None:
        """To the last bit, whatever the operators and the value; it fails where they do."""
        data = float(value) if type(value) is int else [float(item) for item in value] if type(value) is list else value
        script = Script(str(node))
        try:
            expected = evaluated(parse(str(node)), data)
        except PipeScriptError as error:
            with self.assertRaises(PipeScriptError) as caught:
                list(script([{"t": 1, "d": value}]))
            self.assertEqual(caught.exception.reason, error.reason)
            return
        (point,) = script([{"t": 1, "d": value}])
        found = point["d"] if isinstance(parse(str(node)), (Binary, Prefix, Constant)) else data  # `$` is as it came
        self.assertEqual((type(found), repr(found)), (type(expected), repr(expected)))

    def test_constants_that_are_negative(self) -> None:
        """Are one value wherever they stand."""
        for text, result in (
            ("(1 | -0) ^ 2", 0.0),
            ("-(1 | -2) ^ 2", 4.0),
            ("(1 | -2) | $ ^ 2", None),
            ("map((1 | -0), $)", {"-0": 7.0}),
            ("(1 | -5) + t", -4.0),
        ):
            with self.subTest(text):
                if result is None:
                    self.assertRaises(PipeScriptError, Script, text)
                else:
                    self.assertEqual(list(Script(text)([{"t": 1, "d": 7}])), [{"t": 1, "d": result}])

    def test_a_long_text(self) -> None:
        """Is not put together beyond its bound."""
        with self.assertRaisesRegex(PipeScriptError, "Reached maximum string length 10"):
            list(Script("$ + $", limits=Limits(string_max=10))([{"t": 1, "d": "abcdef"}]))


class Floats(unittest.TestCase):
    """What Python's operators refuse."""

    def test_where_there_is_no_number(self) -> None:
        """There are infinities, and what is no number."""
        for function, x, y, expected in (
            *((divided, 1.0, 0.0, math.inf), (divided, 1.0, -0.0, -math.inf), (divided, -1.0, 0.0, -math.inf)),
            *((power, 10.0, 400.0, math.inf), (power, -10.0, 401.0, -math.inf), (power, 0.0, -1.0, math.inf)),
            *((power, -0.0, -1.0, -math.inf), (power, 0.0, 0.0, 1.0), (remainder, 5.5, math.inf, 5.5)),
            *((remainder, -7.0, 4.0, -3.0), (divided, math.nan, 1.0, math.nan), (divided, 0.0, 0.0, math.nan)),
            *((power, -8.0, 1 / 3, math.nan), (remainder, 1.0, 0.0, math.nan)),
        ):
            with self.subTest(function=function.__name__, x=x, y=y):
                self.assertEqual(repr(function(x, y)), repr(expected))
