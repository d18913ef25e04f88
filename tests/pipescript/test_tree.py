"""Nodes, and how they are written."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.pipescript.parser import parse
from connectordb.pipescript.tree import BINDING, Binary, Call, Constant, Node, Object, Pipe, Prefix, walked

TEXTS = st.text(alphabet="ab'\" \n$", max_size=4)
NUMBERS = st.floats(0, allow_nan=False, allow_infinity=False).map(abs)
NAMES = st.sampled_from(["$", "sum", "if", "x5", "_a"])


def wider(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Return nodes made of others."""
    return st.one_of(
        st.builds(Call, NAMES, st.lists(below, max_size=3).map(tuple)),
        st.builds(Prefix, st.sampled_from(["not", "-"]), below),
        st.builds(Binary, st.sampled_from(list(BINDING)), below, below),
        st.builds(Object, st.lists(st.tuples(TEXTS, below), min_size=1, max_size=3).map(tuple)),
        st.builds(Pipe, below, below),
    )


NODES: st.SearchStrategy[Node] = st.recursive(
    st.builds(Constant, st.one_of(NUMBERS, TEXTS, st.booleans())) | st.builds(Call, NAMES), wider, max_leaves=12
)


class Writing(unittest.TestCase):
    """Canonical text."""

    @given(NODES)
    def test_reads_back(self, node: Node) -> None:
        """Whatever the node."""
        self.assertEqual(parse(str(node)), node)

    def test_examples(self) -> None:
        """No more brackets than are needed, and none of the odd ways of saying something."""
        for text, canonical in (
            ("if $ > 5|mean", "if($ > 5) | mean"),
            ("2 * $ - 3", "2 * ($-3)"),
            ("$ - 5*2", "$(-5 * 2)"),
            ("(1+2)*3 - (4 - 5)", "(1 + 2) * 3 - (4 - 5)"),
            ("1 + not 2 == 3", "1 + (not 2 == 3)"),
            ("a and not b or c", "a and not b or c"),
            ("-$:sum", "-($ | sum)"),
            ("map['x']", 'map("x")'),
            ('{"a" : $ ,"b":t}', '{"a": $, "b": t}'),
            ("1000000000000000000000000", "1" + "0" * 24),
            ("0.0000001", "0.0000001"),
            ("9" * 400, "1" + "0" * 309),
        ):
            with self.subTest(text):
                self.assertEqual(str(parse(text)), canonical)
                self.assertEqual(parse(canonical), parse(text))

    def test_long_chains(self) -> None:
        """Ten thousand operators in a row are no matter of recursion."""
        node = parse("$" + " + 1" * 10_000)
        self.assertEqual(sum(1 for _ in walked(node)), 20_001)
        self.assertEqual(str(node), "$" + " + 1" * 10_000)
