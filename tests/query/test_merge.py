"""Merging streams."""

from __future__ import annotations

from connectordb import ConnectorDB, DatapointArray
from connectordb.exceptions import InvalidRange, InvalidRequest, LocalProtocolError
from connectordb.query import Merge

from ..support.case import Case
from ..support.target import TargetCase


class Building(Case):
    """What is sent."""

    def setUp(self) -> None:
        super().setUp()
        self.cdb = ConnectorDB(url="http://localhost:9", connect=False)
        self.addCleanup(self.cdb.close)
        self.merge = Merge(self.cdb("mara/lamp"))

    def test_query(self) -> None:
        """`query` shows what is sent; streams keep their order."""
        self.merge.addStream("light", t1=1, t2=2.5, limit=3)
        self.merge.addStream("mara/room/door", i1=-5, transform="if $")
        self.assertEqual(
            self.merge.query,
            [
                {"stream": "mara/lamp/light", "t1": 1.0, "t2": 2.5, "limit": 3},
                {"stream": "mara/room/door", "i1": -5, "transform": "if $"},
            ],
        )

    def test_refusals(self) -> None:
        """The eleventh stream, and mixed kinds of range, are refused before anything is sent."""
        self.assertRaises(InvalidRange, self.merge.addStream, "light", t1=1, i1=1)
        for _ in range(10):
            self.merge.addStream("light")
        with self.assertRaisesRegex(LocalProtocolError, "10 streams"):
            self.merge.addStream("light")
        self.assertEqual(len(self.merge.query), 10)


class Running(TargetCase):
    """What comes back."""

    def test_in_order_of_time(self) -> None:
        """Points of all streams come in order of time; of equal times those of the stream added first."""
        device = self.device()
        for name, points in (("a", [(1, "a1"), (3, "a3")]), ("b", [(1, "b1"), (2, "b2")])):
            device[name].create({"type": "string"})
            device[name].insert_array([{"t": t, "d": d} for t, d in points])
        merge = Merge(device)
        merge.addStream("b")
        merge.addStream(device["a"], i1=0)
        try:
            merged = merge.run()
        except InvalidRequest as refusal:
            self.assertIn("not supported yet", str(refusal))
            return
        self.assertIsInstance(merged, DatapointArray)
        self.assertEqual(merged.d(), ["b1", "a1", "b2", "a3"])
