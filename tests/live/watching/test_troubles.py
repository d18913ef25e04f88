"""Tests of `connectordb.live.watching.troubles`."""

from __future__ import annotations

import unittest

from connectordb.exceptions import ConnectionFailed, NotFound
from connectordb.live.watching.troubles import Troubles

KEY = ("u/d/a", "")


class TroublesTests(unittest.TestCase):
    """What is said, and how often."""

    def test_told_once(self) -> None:
        """A refusal is news once, however the server numbers it, and whatever passes in between; another one is news."""
        troubles = Troubles()
        self.assertIsNone(troubles.of(KEY))
        self.assertTrue(troubles.add(KEY, NotFound("not there", status=403, ref="a")))
        away = ConnectionFailed("away")
        self.assertFalse(troubles.add(KEY, away))
        self.assertIs(troubles.of(KEY), away)
        self.assertFalse(troubles.add(KEY, NotFound("not there", status=403, ref="b")))
        self.assertTrue(troubles.add(KEY, NotFound("not yours", status=403, ref="b")))

    def test_forgotten(self) -> None:
        """What was over, and comes again, is news."""
        troubles = Troubles()
        troubles.add(KEY, NotFound("not there", status=403))
        troubles.forget(KEY)
        troubles.forget(KEY)
        self.assertIsNone(troubles.of(KEY))
        self.assertTrue(troubles.add(KEY, NotFound("not there", status=403)))
