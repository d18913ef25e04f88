"""The export directory's names."""

from __future__ import annotations

import unittest

from connectordb.protocol import exports


class Names(unittest.TestCase):
    """An export of ours is one that the original reads."""

    def test_about(self) -> None:
        """The file beside the users says version 1 of the format."""
        self.assertEqual(exports.about(), {"Version": 1, "ConnectorDB": "0.3.0"})
        self.assertEqual(exports.about(exports.SERVERS_VERSION), {"Version": 2, "ConnectorDB": "0.3.0"})
        self.assertEqual(exports.ABOUT, "connectordb.json")
        self.assertEqual(exports.OBJECT["stream"], "stream.json")
