"""Tests of `connectordb.live.following.losses`."""

from __future__ import annotations

from unittest import mock

from connectordb.live.following import losses
from connectordb.live.following.losses import Losses
from connectordb.protocol.paths import Path
from tests.support.case import Case


class LossesTests(Case):
    """What is told, and when."""

    def test_told(self) -> None:
        """The first, and then each time that many more are lost; a lost connection each time."""
        lost = Losses(Path.parse("mara/lamp/light"))
        with mock.patch.object(losses, "QUEUE_LIMIT", 10):
            told = [lost.add(number, "went") for number in (3, 3, 3, 3, 3)]
        self.assertEqual([error and error.number for error in told], [3, None, None, 12, None])
        self.assertEqual(
            (lost.number, str(told[0])), (15, "3 points of 'mara/lamp/light' went; they cannot be fetched")
        )
        self.assertIsNone(lost.connection().number)
