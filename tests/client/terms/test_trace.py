"""What is told of one request."""

from __future__ import annotations

import unittest

from connectordb.client.terms.judging import Fate
from connectordb.client.terms.trace import Trace


class Beginning(unittest.TestCase):
    """Before anything was done."""

    def test_nothing_yet(self) -> None:
        """Nothing was sent, and nothing came."""
        trace = Trace()
        self.assertIs(trace.fate, Fate.UNSENT)
        self.assertEqual((trace.phase, trace.bytes_out, trace.bytes_in, trace.seconds), ("pool", 0, 0, 0.0))
        self.assertEqual(trace.first_byte, 0.0)
        self.assertEqual((trace.reused, trace.complete), (False, False))

    def test_nothing_else(self) -> None:
        """A name that is none is not taken."""
        with self.assertRaises(AttributeError):
            Trace().bytes_sent = 1  # type: ignore[attr-defined]
