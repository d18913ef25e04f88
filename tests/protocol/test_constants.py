"""The numbers of the protocol."""

from __future__ import annotations

import unittest

from connectordb.protocol import constants


class Numbers(unittest.TestCase):
    """What old programs import, and what bounds what."""

    def test_names_of_0_3_5(self) -> None:
        """The constants that programs import have their old values."""
        self.assertEqual(constants.CONNECTORDB_URL, "http://localhost:3124")
        self.assertEqual(constants.DATAPOINT_INSERT_LIMIT, 5000)

    def test_bounds(self) -> None:
        """What clients send stays below what servers take."""
        self.assertLess(constants.INSERT_BYTES_LIMIT, constants.REQUEST_BYTES_LIMIT)
        self.assertLess(constants.PING_PERIOD, constants.PONG_WAIT)
