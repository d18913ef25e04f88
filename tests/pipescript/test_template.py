"""Values in scripts."""

from __future__ import annotations

import unittest
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script, ScriptText, pipe
from connectordb.pipescript.lexer import quoted
from connectordb.pipescript.parser import parse
from connectordb.pipescript.tree import Binary, Call, Constant, Node, Object, Pipe, Prefix


def sayable(text: str) -> bool:
    """Tell whether a script can say a text."""
    try:
        return bool(quoted(text))
    except PipeScriptError:
        return False


NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(sayable) | st.text(
    "ab'\"\\ {}|#$()5.", max_size=8
).filter(sayable)
SCRIPTS = st.sampled_from(["$", "sum", "sum ", "$ - 1", "if $ > 5 | mean", "-$", "not $", "a:b", "sum # note"])
PLAIN = st.one_of(NUMBERS, TEXTS, st.booleans())
VALUES: st.SearchStrategy[Any] = st.one_of(
    PLAIN,
    SCRIPTS.map(lambda text: pipe(text.replace("a:b", "count:sum"))),
    SCRIPTS.map(lambda text: Script(text.replace("a:b", "count:sum"))),
    st.dictionaries(TEXTS, PLAIN, min_size=1, max_size=3),
)

#: Templates, each with the tree that a value's node gives in it.
PLACES: list[tuple[str, Any]] = [
    ("{x}", lambda x: x),
    ("if $ > {x}", lambda x: Call("if", (Binary(">", Call("$"), x),))),
    ("top {x}", lambda x: Call("top", (x,))),
    ("ifelse {x} {x} {x}", lambda x: Call("ifelse", (x, x, x))),
    ("2 * $ - {x}", lambda x: Binary("*", Constant(2.0), Binary("-", Call("$"), x))),
    ("$ - {x}", lambda x: Binary("-", Call("$"), x)),
    ("$-{x}", lambda x: Binary("-", Call("$"), x)),
    ("{x} - 5", lambda x: Binary("-", x, Constant(5.0))),
    ("-{x}", lambda x: Prefix("-", x)),
    ("not {x}", lambda x: Prefix("not", x)),
    ("2^{x}", lambda x: Binary("^", Constant(2.0), x)),
    ("$({x})", lambda x: Call("$", (x,))),
    ("$[{x}]:sum", lambda x: Pipe(Call("$", (x,)), Call("sum"))),
    ("{x}:sum", lambda x: Pipe(x, Call("sum"))),
    ("sum | {x} | mean", lambda x: Pipe(Pipe(Call("sum"), x), Call("mean"))),
    ('{{"{{" : {x}, "b": $}}', lambda x: Object((("{", x), ("b", Call("$"))))),
    ("map({x},{x})", lambda x: Call("map", (x, x))),
]


def node_of(value: Any) -> Node:
    """Return what a value is in a script, made without writing it down."""
    if isinstance(value, Script):
        return parse(str(value))
    if isinstance(value, ScriptText):
        return parse(value)
    if isinstance(value, dict):
        return Object(tuple((key, node_of(item)) for key, item in value.items()))
    if isinstance(value, (bool, str)):
        return Constant(value)
    number = float(value)
    return Prefix("-", Constant(-number)) if str(number).startswith("-") else Constant(number)


class Placing(unittest.TestCase):
    """Whatever the value is, and wherever it stands, it means itself."""

    @given(st.sampled_from(PLACES), VALUES)
    def test_the_tree_has_the_value(self, place: tuple[str, Any], value: Any) -> None:
        """And the result is the text of a script."""
        template, tree = place
        self.assertEqual(parse(pipe(template, x=value)), tree(node_of(value)))

    @given(TEXTS)
    def test_keys(self, text: str) -> None:
        """A text may be the key of an object."""
        self.assertEqual(parse(pipe("{{{key}: $}}", key=text)), Object(((text, Call("$")),)))

    @given(TEXTS)
    def test_texts_run(self, text: str) -> None:
        """A text comes out as it went in."""
        (point,) = Script(pipe("{text}", text=text))([{"t": 1, "d": 0}])
        self.assertEqual(point["d"], text)

    @given(NUMBERS)
    def test_numbers_run(self, number: float) -> None:
        """A number comes out as it went in, with its sign."""
        (point,) = Script(pipe("{number}", number=number))([{"t": 1, "d": 0}])
        self.assertEqual(repr(point["d"]), repr(float(number)))

    @given(PLAIN)
    def test_compiles(self, value: Any) -> None:
        """What is written can be run."""
        compiled = Script(pipe("ifelse $ == {x} {x} {x} | set('a', {x}) | if $('a') == {x}", x=value))
        self.assertEqual(list(compiled([])), [])
        (point,) = Script(pipe("{{'a': {x}}} | if $('a') == {x}", x=value))([{"t": 1, "d": 0}])
        self.assertEqual(point["d"], {"a": value if isinstance(value, (bool, str)) else float(value)})

    @given(st.text("{}x$ \"'|#5(", max_size=12), VALUES)
    def test_any_template(self, template: str, value: Any) -> None:
        """Whatever the template, there is a script with the value in it, or it is refused."""
        try:
            made = pipe(template, x=value)
        except PipeScriptError:
            return
        self.assertIn(str(node_of(value)).strip("()"), str(parse(made)))


class Examples(unittest.TestCase):
    """What it looks like."""

    def test_text(self) -> None:
        """Exponents are written out, negative numbers and scripts stand in brackets, texts in quotes."""
        limits = pipe("if $ > {low} and $ < {high}", low=-0.5, high=1e7)
        self.assertEqual(limits, "if $ > (-0.5) and $ < 10000000")
        for template, values, text in (
            ("{limits} | mean", {"limits": limits}, "(if($ > (-0.5) and $ < 10000000)) | mean"),
            ("{mean}:{mean}", {"mean": Script("mean  |$ ")}, "(mean | $):(mean | $)"),
            ("contains({word})", {"word": 'it\'s "5"'}, "contains('it\\'s \"5\"')"),
            ("set({k}, {on})", {"k": "on", "on": True}, 'set("on", true)'),
            ("{x}", {"x": 1e-7}, "0.0000001"),
            ("{{{k}: {v}}}", {"k": "a", "v": {"b": -1}}, '{"a": {"b": (-1)}}'),
            ("{template}", {"template": 5}, "5"),
        ):
            with self.subTest(template):
                made = pipe(template, **values)
                self.assertEqual(parse(made), parse(text))
                self.assertIs(type(made), ScriptText)

    def test_numbers_of_others(self) -> None:
        """Numbers of any kind are taken if a script has them."""
        self.assertEqual(pipe("{x}", x=Fraction(1, 4)), "0.25")

    def test_zones(self) -> None:
        """A script with a time zone of its own keeps it, in another one too."""
        berlin = Script('hour - {"a": dayhour("Local"), "b": year("UTC") and not -month}:$', tz="Europe/Berlin")
        self.assertEqual(
            pipe("{s}", s=berlin),
            '(hour("Europe/Berlin") - ({"a": dayhour("Europe/Berlin"), "b": year("UTC") and not -month("Europe/Berlin")} | $))',
        )
        self.assertEqual(str(berlin)[:6], "hour-(")

    def test_objects_compile(self) -> None:
        """A dict is an object that a script may set."""
        (point,) = Script(pipe("set({k}, {v})", k="a", v={"b": 1, "c": "x"}))([{"t": 1, "d": {}}])
        self.assertEqual(point["d"], {"a": {"b": 1, "c": "x"}})


class Refused(unittest.TestCase):
    """What cannot be said is told, and why."""

    def test_values(self) -> None:
        """Values of which a script knows nothing."""
        values: list[tuple[Any, str]] = [
            (None, "x=None: no script can say null"),
            (float("nan"), "x=nan: no script can say NaN"),
            (float("-inf"), "infinity"),
            (2**53 + 1, "64-bit floats"),
            (10**400, "64-bit floats"),
            ([1], "a list"),
            ((), "a list"),
            ({}, "an object without keys"),
            ({1: 2}, "the key 1 is no text"),
            ({"a": [1]}, r"x\['a'\]=\[1\]: no script can say a list"),
            ("a\\n", "x: no script can say the text"),
            ("\ud800", "UTF-8"),
            (b"x", "decode"),
            (date(2026, 1, 1), "since 1970"),
            (timedelta(1), "total_seconds"),
            (Decimal(5), "says numbers"),
            (Script, "says numbers"),
            (object(), "says numbers"),
        ]
        for value, reason in values:
            with self.subTest(value), self.assertRaisesRegex(PipeScriptError, reason):
                pipe("$ > {x}", x=value)

    def test_places(self) -> None:
        """Places in which the value would mean something else."""
        for template, value, reason in (
            ('contains("{x}")', "a", "within quotes"),
            ("contains('{x}')", 5, "within quotes"),
            ("sum # {x}", 5, "behind the end"),
            ("5{x}", 5, "leave a space"),
            ("{x}{x}", 5, "leave a space"),
            ("1.{x}", 5, "leave a space|behind the end"),
            ("{x}.5", 5, "leave a space"),
            ("${x}", 5, "leave a space"),
            ("sum{x}", -5, "touches"),
            ("not{x}", True, "leave a space"),
            ("{x}and 5", 5, "touches"),
            ("{{{x}: $}}", 5, r"\{x\} is 5, which cannot stand here: a key in quotes expected"),
            ("{{{x}: $}}", {"a": 1}, "cannot stand here"),
            ("({x}", 5, "expected where the script ends"),
            ("5 {x}", "a", r"\{x\} is 'a', which cannot stand here"),
        ):
            with self.subTest(template), self.assertRaisesRegex(PipeScriptError, reason):
                pipe(template, x=value)

    def test_names(self) -> None:
        """A name without a value, a value without a place, and braces without a name."""
        for template, values, reason in (
            ("$ > {x}", {}, r"no value for \{x\}: give one, pipe\(…, x=…\)\n    \$ > \{x\}\n        \^"),
            ("$ > {x}", {"x": 1, "y": 2, "z": 3}, r"y, z: no such name in .*it has \{x\}"),
            ("$", {"x": 1}, "it has no names in braces"),
            ("{}", {}, r"write \{\{ and \}\}"),
            ("{0}", {}, "no name stands"),
            ("{x!r}", {"x": 1}, "no name stands"),
            ('{"a": $}', {}, "no name stands"),
            ("$ }", {}, "no name stands"),
            ("{", {}, "no name stands"),
        ):
            with self.subTest(template), self.assertRaisesRegex(PipeScriptError, reason):
                pipe(template, **values)
        with self.assertRaisesRegex(PipeScriptError, "no template"):
            pipe(5)  # type: ignore[arg-type]
