"""The frames that subscribers are sent."""

from __future__ import annotations

import unittest

from connectordb.server.subscribers.news import frame

from ...support import ws_peer


class Frames(unittest.TestCase):
    """A frame is what RFC 6455 says, at all three ways to say a length."""

    def test_sizes(self) -> None:
        """An independent maker of frames makes the same."""
        for size in (0, 1, 125, 126, 127, 65535, 65536, 100_000):
            text = b"x" * size
            self.assertEqual(frame(text), ws_peer.frame(1, text), size)
