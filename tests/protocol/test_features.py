"""What a server announces."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol.features import KEY_LIMIT, Features, is_key

FEATURES = st.builds(
    Features, st.booleans(), st.none() | st.integers(1, 10**9), ws_id=st.booleans(), ws_index=st.booleans()
)


class Announcing(unittest.TestCase):
    """A header says what a server can do, and nothing else does."""

    @given(FEATURES)
    def test_reads_back(self, features: Features) -> None:
        """What is announced is what is read."""
        self.assertEqual(Features.parse(str(features)), features)

    def test_an_original(self) -> None:
        """A server without the header can do nothing beyond 0.3."""
        self.assertEqual(Features.parse(None), Features())

    def test_a_newer_server(self) -> None:
        """Words that are not known are passed over, with or without a value."""
        self.assertEqual(Features.parse("columns, durable;q=1,durable , ws-id=2"), Features(True, ws_id=True))
        self.assertEqual(Features.parse("undurable, ,=,ws_id"), Features())

    def test_seconds(self) -> None:
        """A window is a number of seconds; what is none announces none."""
        self.assertEqual(Features.parse(" idempotency = 600").idempotency, 600)
        for text in ("", "=", "=0", "=-5", "=1.5", "=1e3", "=\u0665", "=" + "9" * 40, "=soon"):
            with self.subTest(text):
                self.assertIsNone(Features.parse(f"idempotency{text}").idempotency)

    @given(st.text())
    def test_anything(self, header: str) -> None:
        """Whatever a header says, it is read."""
        self.assertIsInstance(Features.parse(header), Features)


class Keys(unittest.TestCase):
    """What can name an insert."""

    def test_keys(self) -> None:
        """Visible characters of ASCII, some and not too many."""
        for text in ("a", '"8e03978e-40d5"', "!~", "x" * KEY_LIMIT):
            self.assertTrue(is_key(text), text)
        for text in ("", " ", "a b", "\x7f", "é", "\n", "x" * (KEY_LIMIT + 1)):
            self.assertFalse(is_key(text), text)
