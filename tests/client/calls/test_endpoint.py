"""What is known of one server."""

from __future__ import annotations

import threading
import unittest

from connectordb.client.calls import Endpoint
from connectordb.client.http import Transport
from tests.support.clock import SteppedClock


class Heard(unittest.TestCase):
    """What its answers say about it."""

    def setUp(self) -> None:
        self.clock = SteppedClock()
        self.endpoint = Endpoint("http://x", Transport("http://x"), self.clock)

    def test_features(self) -> None:
        """What it announces is known until it stops saying so."""
        self.assertFalse(self.endpoint.features.durable)
        self.endpoint.heard({"ConnectorDB-Features": "durable, idempotency=5"})
        self.assertEqual((self.endpoint.features.durable, self.endpoint.features.idempotency), (True, 5))
        self.endpoint.heard({}, is_failure=True)
        self.assertTrue(self.endpoint.features.durable)
        self.endpoint.heard({})
        self.assertFalse(self.endpoint.features.durable)

    def test_time(self) -> None:
        """Its clock goes on from what it said last."""
        self.assertIsNone(self.endpoint.time())
        self.endpoint.heard({"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})
        self.clock.wait(threading.Event(), 5.0)
        self.assertEqual(self.endpoint.time(), 784111777.5 + 5.0)
        self.endpoint.heard({})
        self.assertEqual(self.endpoint.time(), 784111777.5 + 5.0)
        self.endpoint.heard({"Date": "noon"})
        self.assertIsNone(self.endpoint.time())
