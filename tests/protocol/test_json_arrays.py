"""Arrays, element by element."""

from __future__ import annotations

import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol.json_arrays import arrays, elements
from connectordb.protocol.number_columns import is_flat

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


class Arrays(unittest.TestCase):
    """Many elements at a time."""

    @given(
        st.lists(
            VALUES
            | st.fixed_dictionaries({"t": st.integers(0, 9), "d": VALUES})
            | st.builds(lambda t: {"t": t, "d": [{"t": 1}, {"t": 2, "d": '},{"t":'}]}, st.integers(0, 9)),
            max_size=6,
        ),
        st.integers(1, 40),
        st.integers(1, 3),
    )
    def test_any(self, values: list[Any], size: int, most: int) -> None:
        """They are the same elements, also where a value looks like the end of one."""
        text = json.dumps(values, separators=(",", ":")).encode("utf-8", "surrogatepass")
        blocks = [text[at : at + size] for at in range(0, len(text), size)]
        found: list[Any] = []
        for array in arrays(blocks, 1 << 20, most):
            if isinstance(array, bytes):
                self.assertTrue(is_flat(array))
                array = json.loads(array)
            found += array
        self.assertEqual(found, values)

    def test_at_once(self) -> None:
        """What is there whole is not waited for; numbers are left as they are written."""
        blocks = iter([b'[{"t":1,"d":2},{"t":2,"d":3},{"t":3', b',"d":"a"},{"t":4,"d":5}', b"]"])
        found = arrays(blocks, 99, 1)
        self.assertEqual(next(found), b'[{"t":1,"d":2},{"t":2,"d":3}]')
        self.assertEqual(next(found), [{"t": 3, "d": "a"}])
        self.assertEqual(next(found), b'[{"t":4,"d":5}]')
        self.assertIsNone(next(found, None))

    def test_cut_off(self) -> None:
        """What ends before its end, is no array, or has an element that is too long, is an error, behind what came before."""
        text = b'[{"t":1,"d":2},{"t":2,"d":"%b"},{"t":3,"d":4}]' % (b"x" * 99)
        for wrong, number in ((text[:-1], 3), (text[:20], 1), (b'{"a":' + text + b"}", 0), (text + b"]", 3), (b"", 0)):
            found: list[Any] = []
            with self.subTest(wrong), self.assertRaises(ValueError):
                for array in arrays([wrong[:30], wrong[30:]], 1 << 20, 1):
                    found += json.loads(array) if isinstance(array, bytes) else array
            self.assertEqual(len(found), number)
        with self.assertRaisesRegex(ValueError, "an element of more than 50 characters"):
            list(arrays([b'[{"t":1,"d":"', *([b"x" * (1 << 19)] * 3)], 50, 1))
