"""Arrays, element by element."""

from __future__ import annotations

import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol.json_arrays import elements

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53), 2**53)
    | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=5,
)


def read(text: bytes, size: int = 1 << 20, longest: int = 1 << 20) -> list[Any]:
    """Return the elements of a text that comes in blocks of *size*."""
    return [value for value, _ in elements([text[at : at + size] for at in range(0, len(text), size)], longest)]


class Elements(unittest.TestCase):
    """The elements are those of the array, however its text is cut."""

    @given(st.lists(VALUES, max_size=5), st.integers(1, 9), st.booleans(), st.sampled_from([None, 1, "\t"]))
    def test_any(self, values: list[Any], size: int, ascii: bool, indent: int | str | None) -> None:
        """Whatever is in it, wherever blocks end, with spaces or without, characters escaped or not."""
        text = json.dumps(values, ensure_ascii=ascii, indent=indent).encode("utf-8", "surrogatepass")
        self.assertEqual(read(text, size), values)

    @given(st.lists(VALUES, min_size=1, max_size=3), st.data())
    def test_cut_off(self, values: list[Any], data: st.DataObject) -> None:
        """A text that ends before its end is an error."""
        text = json.dumps(values).encode()
        at = data.draw(st.integers(0, len(text) - 1))
        with self.assertRaises(ValueError):
            read(text[:at], 3)

    def test_sizes(self) -> None:
        """Each comes with the length of its text."""
        self.assertEqual(
            list(elements([b'[1, {"a":', b' "\xc3', b'\xa4"} ,12]'], 99)), [(1, 1), ({"a": "ä"}, 10), (12, 2)]
        )

    def test_nonsense(self) -> None:
        """What is no array is an error, and so is what follows one."""
        for text in (
            b"",
            b" ",
            b"{}",
            b"1",
            b"[,]",
            b"[1,]",
            b"[1 2]",
            b"[1]]",
            b"[1] x",
            b"[NaN]",
            b"[1e999]",
            b"[\xff]",
            b"[']",
        ):
            with self.subTest(text=text), self.assertRaises(ValueError):
                read(text, 1)

    def test_long(self) -> None:
        """An element beyond the bound is an error before all of it was read."""
        blocks = iter([b'["', *[b"x" * 100] * 1000, b'"]'])
        with self.assertRaises(ValueError) as caught:
            list(elements(blocks, 1000))
        self.assertIn("1000 characters", str(caught.exception))
        self.assertGreater(len(list(blocks)), 900)

    def test_deep(self) -> None:
        """Nesting that Python cannot follow is an error."""
        with self.assertRaises(ValueError):
            read(b"[" * 500_000 + b"]" * 500_000)
