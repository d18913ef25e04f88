"""How often, and after how long."""

from __future__ import annotations

import copy
import pickle
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb import LocalProtocolError, Retry
from connectordb.protocol.paths import Path

STREAM = Path.parse("mara/lamp/light")


class Value(unittest.TestCase):
    """How often, and when."""

    def test_of(self) -> None:
        """What a caller may pass."""
        self.assertEqual(Retry.of(None), Retry())
        self.assertEqual(Retry.of(5), Retry(max_attempts=5))
        mine = Retry(max_backoff=1)
        self.assertIs(Retry.of(mine), mine)
        for bad in (True, "3", 1.5, [3]):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "retry=.*expected a Retry"):
                Retry.of(bad)  # type: ignore[arg-type]

    def test_bad(self) -> None:
        """What is no such number is refused."""
        for name, bad in (
            ("max_attempts", 1.5),
            ("max_attempts", True),
            ("max_backoff", -1),
            ("max_backoff", float("inf")),
            ("first_backoff", float("nan")),
            ("first_backoff", None),
            ("budget", "x"),
        ):
            with self.subTest(name, bad=bad), self.assertRaisesRegex(LocalProtocolError, f"Retry.{name}=.*expected"):
                Retry(**{name: bad})  # type: ignore[arg-type]

    def test_value(self) -> None:
        """It is a value: equal, hashed, copied, shown, and not changed."""
        one = Retry(4, 5.0, 0.25, None)
        for other in (Retry(4, 5.0, 0.25, None), pickle.loads(pickle.dumps(one)), copy.deepcopy(one), eval(repr(one))):
            self.assertEqual((other, hash(other)), (one, hash(one)))
        self.assertNotEqual(one, Retry())
        self.assertNotEqual(one, 4)
        with self.assertRaisesRegex(AttributeError, "make another one"):
            one.max_attempts = 5

    @given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True), st.floats(0, 100), st.floats(0, 100))
    def test_pause(self, number: int, draw: float, first: float, most: float) -> None:
        """Full jitter: from nothing to a bound that doubles, and never above the most."""
        pause = Retry(first_backoff=first, max_backoff=most).pause(number, lambda: draw)
        self.assertTrue(0 <= pause <= most)
        self.assertTrue(number > 60 or pause <= first * 2 ** (number - 1))
