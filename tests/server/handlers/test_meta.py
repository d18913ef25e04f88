"""What is known about the server."""

from __future__ import annotations

import json

from connectordb.server.handlers import meta

from .case import HandlerCase


class Root(HandlerCase):
    """Who is calling, and how much there is."""

    def test_this(self) -> None:
        """The caller is told its path."""
        self.assertEqual(self.ask(meta.root, q="this", who="mara/lamp").body, b"mara/lamp")
        self.assertEqual(self.ask(meta.root, q="this", who="").body, b"nobody")

    def test_counts(self) -> None:
        """Administrators are told how much there is."""
        self.assertEqual(self.ask(meta.root, q="countusers", who="root1/user").body, b"3")
        self.assertEqual(self.ask(meta.root, q="countdevices", who="root1/user").body, b"8")
        self.refuses(403, "Don't have permissions necessary to count streams", meta.root, q="countstreams")
        self.refuses(400, "Unrecognized query command.", meta.root, q="bogus")

    def test_meta(self) -> None:
        """The version is what clients compare; transforms and interpolators are told by name."""
        self.assertEqual(meta.version().body, b"0.3.0")
        self.assertEqual(json.loads(meta.transforms().body)["if"]["one_to_one"], False)
        known = json.loads(meta.interpolators().body)
        self.assertEqual(set(known), {"before", "after", "closest", "count", "sum", "mean"})
        self.assertEqual(known["sum"]["name"], "sum")
