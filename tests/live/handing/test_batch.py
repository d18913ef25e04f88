"""Tests of `connectordb.live.handing.batch`."""

from __future__ import annotations

from connectordb.live.handing.batch import Batch
from connectordb.protocol.paths import Path
from tests.support.case import Case


class BatchTests(Case):
    """A list of points that knows where it stands."""

    def test_batch(self) -> None:
        """It is a list of points, and knows its place, how it came, and who sent what."""
        points = [{"t": 1.0, "d": True}, {"t": 2.0, "d": False, "o": "mara/user"}]
        batch = Batch(points, Path.parse("mara/lamp/light/downlink"), 7, True)
        self.assertEqual((batch, batch.first_index, batch.caught_up), (points, 7, True))
        self.assertEqual([batch.sender(0), batch.sender(1), batch.sender(-1)], ["mara/lamp", "mara/user", "mara/user"])
        self.assertEqual(batch["d"], [True, False])
        self.assertEqual(batch.index(points[1]), 1)
        self.assertEqual((Batch(), Batch().first_index, Batch().caught_up), ([], None, False))
