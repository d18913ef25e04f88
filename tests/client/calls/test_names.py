"""Names of inserts."""

from __future__ import annotations

import unittest

from connectordb.client.calls.names import Names
from connectordb.protocol.features import Features, is_key
from tests.support.clock import SteppedClock

KNOWS = Features(idempotency=3600)


class Given(unittest.TestCase):
    """Who gets one."""

    def test_announced(self) -> None:
        """Each insert has its own, which a server takes; where the server knows no such names, none."""
        names = Names(SteppedClock())
        some = [names.another(KNOWS) for _ in range(100)]
        self.assertEqual(len(set(some)), 100)
        self.assertTrue(all(name is not None and is_key(name) for name in some))
        self.assertIsNone(names.another(Features()))

    def test_no_room(self) -> None:
        """A server that has no room for more is left in peace for a while."""
        clock = SteppedClock()
        names = Names(clock)
        for said, seconds in ((5.0, 5.0), (None, 60.0)):
            names.pause(said)
            clock.advance(seconds - 1.0)
            self.assertIsNone(names.another(KNOWS))
            clock.advance(2.0)
            self.assertIsNotNone(names.another(KNOWS))
