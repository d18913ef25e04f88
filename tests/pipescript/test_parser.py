"""Tokens to nodes: what a script means, and what is told of one that means nothing."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.limits import Limits
from connectordb.pipescript.parser import parse
from connectordb.pipescript.tree import Binary, Call, Constant, Pipe, Prefix

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "pipescript_vectors.json").read_text(encoding="utf-8"))
SCRIPTS = sorted({vector["script"] for vector in VECTORS})

ONE, TWO, THREE = Constant(1.0), Constant(2.0), Constant(3.0)
X = Call("$")


class Parsing(unittest.TestCase):
    """What scripts say."""

    def test_all_that_the_original_compiled(self) -> None:
        """Is parsed, and what is written of it says the same."""
        for vector in VECTORS:
            if vector.get("error_stage") != "parse":
                with self.subTest(vector["id"], script=vector["script"]):
                    node = parse(vector["script"])
                    self.assertEqual(parse(str(node)), node)

    def test_minus_behind_a_spaced_name(self) -> None:
        """Is odd in two ways; behind a name without a space it is none of them."""
        for text, node in (
            ("2 * $ - 3", Binary("*", TWO, Binary("-", X, THREE))),
            ("$ - 1 - 2", Binary("-", Binary("-", X, ONE), TWO)),
            ("$ - 1 * 2", Call("$", (Binary("*", Prefix("-", ONE), TWO),))),
            ("$ -1 2", Call("$", (Prefix("-", ONE), TWO))),
            ("$-1*2", Binary("-", X, Binary("*", ONE, TWO))),
            ("$- 1", Binary("-", X, ONE)),
            ("$ -1:$", Binary("-", X, Pipe(ONE, X))),
        ):
            with self.subTest(text):
                self.assertEqual(parse(text), node)

    def test_spans(self) -> None:
        """Each node knows where it stands."""
        text = "if ($ > 1) | {'a': sum - 2}"
        pipe = parse(text)
        assert isinstance(pipe, Pipe)
        self.assertEqual(text[slice(*pipe.first.span)], "if ($ > 1")
        self.assertEqual(text[slice(*pipe.then.span)], "{'a': sum - 2}")
        self.assertEqual(text[slice(*pipe.then.parts[0].span)], "sum - 2")


class Mistakes(unittest.TestCase):
    """What is told of what is no script."""

    def test_where_and_what(self) -> None:
        """The place, what stands there, and what could."""
        for text, expected in (
            ("", "a value expected where the script ends"),
            ("if ($ > ) | mean", "a value expected where ')' stands\n    if ($ > ) | mean\n            ^"),
            ("sum # x |", None),
            ("sum + # x", "a value expected where '#', which means nothing, stands"),
            ("map($, sum", "',' or ')' expected where the script ends"),
            ("(1]", "an operator or ')' expected where ']' stands"),
            ("{a: 1}", "a key in quotes expected where 'a' stands"),
            ("{'a' 1}", "':' expected"),
            ("{'a': 1)", "',' or '}' expected"),
            ("[1, 2]", "an operator or ']' expected where ',' stands"),
            ("sum ()", "a value expected where ')' stands"),
            ("1 2", "an operator, '|' or the end expected where '2' stands"),
            ("$[]", "a value expected where ']' stands"),
        ):
            with self.subTest(text):
                if expected is None:
                    parse(text)
                    continue
                with self.assertRaises(PipeScriptError) as caught:
                    parse(text)
                self.assertIn(expected, str(caught.exception))
                self.assertEqual(caught.exception.script, text)
                self.assertEqual(caught.exception.reason, "syntax error")

    def test_bounds(self) -> None:
        """Neither depth nor length get far."""
        for text in ("(" * 500 + "1" + ")" * 500, "-" * 5000 + "1", "not " * 5000 + "1", "$(" * 500, "{'a':" * 500):
            with self.assertRaisesRegex(PipeScriptError, "nested more than 100 levels"):
                parse(text)
        parse("(" * 90 + "1" + ")" * 90)
        with self.assertRaisesRegex(PipeScriptError, "too long"):
            parse("$" * (Limits().length + 1))

    @given(
        st.text(max_size=20)
        | st.lists(st.sampled_from("$ sum if 1 'a' ( ) [ ] { } : | , - + not and <".split())).map(" ".join)
    )
    @example("{'a':1}:{'a':1}")
    def test_any_text(self, text: str) -> None:
        """Is a script or is refused."""
        try:
            node = parse(text)
        except PipeScriptError:
            return
        self.assertEqual(parse(str(node)), node)

    @given(st.sampled_from(SCRIPTS), st.data())
    def test_any_script_with_a_mistake(self, script: str, data: st.DataObject) -> None:
        """Likewise, with a character gone or another one in its place."""
        at = data.draw(st.integers(0, max(len(script) - 1, 0)))
        self.test_any_text.hypothesis.inner_test(
            self, script[:at] + data.draw(st.sampled_from(["", "-", " ", "("])) + script[at + 1 :]
        )  # type: ignore[attr-defined]
