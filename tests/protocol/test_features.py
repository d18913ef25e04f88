"""What a server announces."""

from __future__ import annotations

import unittest

from connectordb.protocol.features import Features


class Announcing(unittest.TestCase):
    """A header says what a server can do, and nothing else does."""

    def test_reads_back(self) -> None:
        """What is announced is what is read."""
        for features in (Features(), Features(durable=True)):
            self.assertEqual(Features.parse(str(features)), features)

    def test_an_original(self) -> None:
        """A server without the header can do nothing beyond 0.3."""
        self.assertEqual(Features.parse(None), Features())

    def test_a_newer_server(self) -> None:
        """Words that are not known are passed over, with or without a value."""
        self.assertEqual(Features.parse("columns, durable,idempotency=600 , ws-id"), Features(durable=True))
        self.assertEqual(Features.parse("undurable, ,=,"), Features())
