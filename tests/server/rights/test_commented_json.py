"""JSON with comments."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.rights.commented_json import Malformed, Node, loads

from ...support.case import Case

texts = st.text(alphabet='ab"\\/*\n{}[]:, é', max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
comments = st.sampled_from(["", " ", "\n", "/* a */", "// b\n", '/* "\n// */', '// " /*\n', "/**/"])


def plain(node: Node) -> Any:
    """Return the value of a node without lines."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def commented(value: Any, comment: Any) -> str:
    """Return the JSON text of a value with a comment wherever one may be."""
    if isinstance(value, dict):
        members = (f"{comment()}{json.dumps(key)}{comment()}:{commented(item, comment)}" for key, item in value.items())
        return f"{comment()}{{{','.join(members)}{comment()}}}{comment()}"
    if isinstance(value, list):
        return f"{comment()}[{','.join(commented(item, comment) for item in value)}{comment()}]{comment()}"
    return f"{comment()}{json.dumps(value)}{comment()}"


class Reading(Case):
    """What is read, and where it was."""

    @given(values, st.data())
    def test_comments_mean_nothing(self, value: Any, data: st.DataObject) -> None:
        """Wherever comments are, the value is the same."""
        self.assertEqual(plain(loads(commented(value, lambda: data.draw(comments)))), value)

    def test_lines(self) -> None:
        """Members know their lines, behind comments, too."""
        node = loads('/* one\ntwo */ {\n"a": [1,\n// four\n2],\n"b"\n:\n"c // no comment"}')
        self.assertEqual((node.line, node.value["a"].line, node.value["b"].line), (2, 3, 6))
        self.assertEqual(node.value["a"].value[1], Node(2, 5))
        self.assertEqual(node.value["b"].value, "c // no comment")

    def test_malformed(self) -> None:
        """What is no JSON is refused, with the line."""
        for text, line, why in (
            ("", 1, "a value is missing"),
            ("\n/* x", 2, "does not end"),
            ("{\n,}", 2, "a key in quotes"),
            ('{"a":1,\n}', 2, "no comma before"),
            ('{"a" 1}', 1, "':' is missing"),
            ('{"a":1\n"b":2}', 2, "',' or '}'"),
            ("[1 2]", 1, "',' or ']'"),
            ("[1,]", 1, "is no value"),
            ("[1", 1, "',' or ']'"),
            ('{"a":1,\n"a":2}', 2, "there already, in line 1"),
            ('{"a', 1, "does not end"),
            ("nul", 1, "'nul' is no value"),
            ("[NaN]", 1, "is no value"),
            ("{} x", 1, "something follows"),
            ("[" * 60, 1, "too deeply"),
        ):
            with self.subTest(text), self.assertRaises(Malformed) as caught:
                loads(text)
            self.assertEqual(caught.exception.line, line)
            self.assertIn(why, caught.exception.why)
