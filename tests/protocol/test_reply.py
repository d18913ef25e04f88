"""What comes back."""

from __future__ import annotations

import unittest

from connectordb.protocol.reply import Reply


class Replies(unittest.TestCase):
    """An answer of a server."""

    def test_defaults(self) -> None:
        """It has no headers, and no address, if nobody says so."""
        self.assertEqual(Reply(200, b"ok"), (200, b"ok", {}, ""))
