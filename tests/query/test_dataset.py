"""Lining streams up."""

from __future__ import annotations

from typing import Any

from connectordb import ConnectorDB
from connectordb.exceptions import InvalidRange, InvalidRequest, LocalProtocolError
from connectordb.query import Dataset, Merge

from ..support.case import Case
from ..support.target import TargetCase


class Building(Case):
    """What is sent."""

    def setUp(self) -> None:
        super().setUp()
        self.cdb = ConnectorDB(url="http://localhost:9", connect=False)
        self.addCleanup(self.cdb.close)
        self.device = self.cdb("mara/lamp")

    def test_by_points(self) -> None:
        """With a reference there is a row for each of its points."""
        dataset = Dataset(self.device, x="mood", t1=5, posttransform="$")
        dataset.addStream(self.device["temp"], "before", t1=1, colname="temperature", allownil=True)
        dataset.addStream("steps", interpolator="sum")
        self.assertEqual(
            dataset.query,
            {
                "stream": "mara/lamp/mood",
                "t1": 5.0,
                "posttransform": "$",
                "dataset": {
                    "temperature": {"stream": "mara/lamp/temp", "t1": 1.0, "interpolator": "before", "allownil": True},
                    "steps": {"stream": "mara/lamp/steps", "interpolator": "sum"},
                },
            },
        )

    def test_by_time(self) -> None:
        """Without one there is a row for each step of time."""
        dataset = Dataset(self.device, t1=0, t2=12, dt=3)
        dataset.addStream(self.device["temp"])
        self.assertEqual(
            dataset.query,
            {
                "t1": 0.0,
                "t2": 12.0,
                "dt": 3.0,
                "dataset": {"mara/lamp/temp": {"stream": "mara/lamp/temp", "interpolator": "closest"}},
            },
        )

    def test_merges(self) -> None:
        """A Merge may be the reference, or a column with a name."""
        merge = Merge(self.device)
        merge.addStream("a")
        dataset = Dataset(self.device, x=merge)
        with self.assertRaisesRegex(LocalProtocolError, "no name of its own"):
            dataset.addStream(merge)
        dataset.addStream(merge, colname="both")
        one = [{"stream": "mara/lamp/a"}]
        self.assertEqual(dataset.query, {"merge": one, "dataset": {"both": {"merge": one, "interpolator": "closest"}}})
        with self.assertRaisesRegex(InvalidRange, "t1 beside a Merge"):
            Dataset(self.device, x=merge, t1=5)
        with self.assertRaisesRegex(InvalidRange, "transform beside a Merge"):
            dataset.addStream(merge, colname="again", transform="mean")

    def test_names(self) -> None:
        """A column's name is not used twice, and x only where there is no reference."""
        by_points, by_time = Dataset(self.device, x="mood"), Dataset(self.device, t1=0, t2=1, dt=1)
        by_points.addStream("temp")
        for name in ("temp", "x"):
            with self.subTest(name), self.assertRaisesRegex(LocalProtocolError, "already"):
                by_points.addStream("other", colname=name)
        by_time.addStream("other", colname="x")

    def test_ranges_that_a_server_refuses(self) -> None:
        """They are refused here: each costs the original a connection to its database."""
        ranges: list[dict[str, Any]] = [
            {},
            {"t1": 0, "t2": 5},
            {"t1": 0, "t2": 5, "dt": 0},
            {"t1": 0, "t2": 5, "dt": 0.0001},
            {"t1": 0, "t2": 5, "dt": "1"},
            {"t1": 0, "t2": 5, "dt": float("nan")},
            {"t1": -1, "t2": 5, "dt": 1},
            {"t1": 5, "t2": 5, "dt": 1},
            {"t1": 0, "t2": 1e9, "dt": 0.01},
            {"t1": 0, "t2": 5, "dt": 1, "i1": 3},
            {"t1": 0, "t2": 5, "dt": 1, "limit": 3},
            {"t1": 0, "t2": 5, "dt": 1, "transform": "mean"},
            {"x": "mood", "dt": 1},
            {"x": "mood", "t1": 1, "i1": 1},
        ]
        for given in ranges:
            with self.subTest(given):
                self.assertRaises(InvalidRange, Dataset, self.device, **given)

    def test_dt_of_a_column(self) -> None:
        """0.3.5 took a dt for a column; it never meant anything, and now says so."""
        dataset = Dataset(self.device, x="mood")
        with self.assertWarnsRegex(UserWarning, "no meaning"):
            dataset.addStream("temp", dt=5)

    def test_no_column(self) -> None:
        """A dataset without a column is not sent."""
        with self.assertRaisesRegex(LocalProtocolError, "addStream comes first"):
            Dataset(self.device, x="mood").run()


class Running(TargetCase):
    """What comes back."""

    def test_rows(self) -> None:
        """Each row has the reference's value and the columns'."""
        device = self.device()
        for name, points in (("mood", [(1, 7), (4, 3), (11, 5)]), ("temp", [(2, 73), (5, 84), (8, 81), (11, 79)])):
            device[name].create({"type": "number"})
            device[name].insert_array([{"t": t, "d": d} for t, d in points])
        dataset = Dataset(device, x="mood")
        dataset.addStream("temp")
        try:
            rows = dataset.run()
        except InvalidRequest as refusal:
            self.assertIn("not supported yet", str(refusal))
            return
        self.assertEqual(rows.d(), [{"temp": 73, "x": 7}, {"temp": 84, "x": 3}, {"temp": 79, "x": 5}])
