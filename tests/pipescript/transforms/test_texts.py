"""Texts: expressions, words, ranges, links."""

from __future__ import annotations

import struct
import sys
import time
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.transforms import texts

from ..running import run


class Expressions(unittest.TestCase):
    """``regex``, in RE2's dialect."""

    def test_dialect(self) -> None:
        """Where it differs from Python's."""
        for expression, text, matches in (
            *(("a$", "a\n", False), ("(?m)a$", "a\nb", True), ("\\d", "٣", False), ("^.$", "é", True)),
            *(("[[:digit:]]", "7", True), ("\\pL", "é", True), ("", "", True), ("(?i)ABC", "xabcx", True)),
        ):
            with self.subTest(expression):
                self.assertEqual(run(f"regex('{expression}')", text), [matches])

    def test_refused(self) -> None:
        """When the script is compiled, with what is wrong."""
        for expression in ("(", "a**", "(?=a)", "(a)\\1", "a{1001}"):
            with self.subTest(expression), self.assertRaisesRegex(PipeScriptError, "is no regular expression"):
                run(f"regex('{expression}')")

    def test_takes_no_longer_for_any(self) -> None:
        """What makes others try all ways."""
        begin = time.monotonic()
        self.assertEqual(run("regex('^(a+)+$')", "a" * 5000 + "b"), [False])
        self.assertLess(time.monotonic() - begin, 2)

    def test_half_a_character(self) -> None:
        """Is no failure."""
        self.assertEqual(run("regex('^a.$')", "a\ud800"), [True])

    def test_without_the_library(self) -> None:
        """The error says what to install."""
        texts._compiled.cache_clear()
        with mock.patch.dict(sys.modules, {"re2": None}), self.assertRaisesRegex(PipeScriptError, "google-re2"):
            run("regex('not seen before')")


class Words(unittest.TestCase):
    """``wc`` and ``sentiment``."""

    @given(
        st.lists(st.sampled_from(["one", "İstanbul", "it's", "a@b"]), max_size=6),
        st.sampled_from([" ", ", ", "…\n", " - "]),
    )
    def test_counted(self, words: list[str], between: str) -> None:
        """Whatever stands between them."""
        self.assertEqual(
            run("wc", between.join(words)), [len(between.join(words).replace("-", " ").replace(",", " ").split())]
        )

    def test_white_space(self) -> None:
        """Is what Unicode calls so, which is not all that Python splits at."""
        self.assertEqual(run("wc", "a\x1cb c\x85d\u3000e"), [4])

    def test_sentiment(self) -> None:
        """A number of 32 bits, which is shown as such and computed with as what it is."""
        single = struct.unpack("<f", struct.pack("<f", 0.6))[0]
        self.assertEqual(run("sentiment", "GOOD", "", "a good day"), [0.6, 0, 0.2])
        self.assertEqual(run("sentiment + 0", "good"), [single])
        self.assertEqual(run("{'s': sentiment}", "good"), [{"s": 0.6}])

    def test_without_the_list(self) -> None:
        """The error says what to install."""
        texts._scores.cache_clear()
        with (
            mock.patch.object(texts, "files", side_effect=ModuleNotFoundError),
            self.assertRaisesRegex(PipeScriptError, r"ConnectorDB\[sentiment\]"),
        ):
            run("sentiment")
        texts._scores.cache_clear()


class Ranges(unittest.TestCase):
    """``bucket``."""

    @given(st.integers(-(10**5), 10**5), st.sampled_from([1, 2.5, 10, 100]), st.integers(-5, 5))
    def test_holds_the_number(self, x: int, size: float, start: int) -> None:
        """Between its ends, of which one belongs to it."""
        (text,) = run(f"bucket({size}, ({start}))", x)
        low, high = map(float, text[1:-1].split(","))
        self.assertTrue(low <= x < high)
        self.assertAlmostEqual(high - low, size)

    def test_no_size(self) -> None:
        """Is no range."""
        self.assertEqual(run("bucket(0)", 5), ["[NaN,NaN)"])


class Links(unittest.TestCase):
    """``domain``."""

    @given(st.text(max_size=30))
    def test_any_text(self, text: str) -> None:
        """Has a domain, or has none."""
        for url in (text, f"http://{text}", f"//{text}/x"):
            self.assertIsInstance(run("domain", url)[0], str)

    def test_contains(self) -> None:
        """The empty text is in all."""
        self.assertEqual(run("contains('')", "", "x", 5, None), [True] * 4)
