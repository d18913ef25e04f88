"""Several streams at once."""

from __future__ import annotations

from typing import Any

from connectordb import InvalidRange, LocalProtocolError, NotFound
from connectordb.client.readings import Readings
from tests.frames.cases import needs_frames
from tests.support.target import TargetCase, new_name


class Read(TargetCase):
    """`Device.read`."""

    def setUp(self) -> None:
        """Make a device with two streams."""
        super().setUp()
        self.cdb = self.connect(self.device_key)
        self.points = {}
        for name, step in ((new_name(), 10), (new_name(), 15)):
            self.points[name] = [{"t": 1000.0 + step * n, "d": n} for n in range(5)]
            self.cdb[name].create({"type": "number"})
            self.cdb[name].insert_array(self.points[name])
        self.first, self.second = self.points

    def test_names(self) -> None:
        """Each is there under the name by which it was asked for, in that order."""
        path = self.cdb[self.second].path
        read = self.cdb.read([path, self.first])
        self.assertEqual(read, {path: self.points[self.second], self.first: self.points[self.first]})
        self.assertEqual(list(read), [path, self.first])
        self.assertEqual(list(self.cdb.read([self.cdb[self.first]])), [self.cdb[self.first].path])
        self.assertEqual(self.cdb.read([]), {})

    def test_all(self) -> None:
        """Without a list it is all that the device has."""
        read = self.cdb.read(limit=1)
        self.assertEqual([read[name] for name in self.points], [points[:1] for points in self.points.values()])
        self.assertEqual(sorted(read), sorted(stream.name for stream in self.cdb.streams()))

    def test_range(self) -> None:
        """All have the same range and transform; a range may hold points of one of them only."""
        read = self.cdb.read(self.points, t1=1045, transform="$ * 2")
        self.assertEqual([points.d() for points in read.values()], [[], [8]])
        self.assertEqual([points.d() for points in self.cdb.read(self.points, i1=7, i2=9).values()], [[], []])

    def test_downlink(self) -> None:
        """A path may be that of a downlink."""
        path = f"{self.cdb[self.first].path}/downlink"
        self.assertEqual(self.cdb.read([path]), {path: []})

    def test_refused(self) -> None:
        """What makes no sense is refused before anything is asked for."""
        refused: list[tuple[Any, str]] = [
            ("power", "expected a list of streams"),
            (5, "expected a list of streams"),
            ([self.first, 5], "5 is no stream"),
            (["mara/box"], "is a device: expected a stream"),
            ([self.first, self.first], "is given twice"),
        ]
        with self.cdb.measure() as stats:
            for streams, why in refused:
                with self.subTest(streams), self.assertRaisesRegex(LocalProtocolError, why):
                    self.cdb.read(streams)
            with self.assertRaises(InvalidRange):
                self.cdb.read([self.first], t1=1, i1=1)
        self.assertEqual(stats.requests, 0)

    def test_one_of_them(self) -> None:
        """If one is not there the error says which."""
        with self.assertRaisesRegex(NotFound, "nosuch") as caught:
            self.cdb.read([self.first, "nosuch", self.second])
        self.assertIn(f"{self.cdb.path}/nosuch", str(caught.exception.path))

    def test_repr(self) -> None:
        """It says how many there are, and not all of them."""
        self.assertEqual(repr(self.cdb.read([self.first])), f"<Readings {self.first}: 5>")

    def test_shown(self) -> None:
        """A notebook shows a row for each."""
        self.cdb["empty"].create()
        sheet = self.cdb.read([self.first, "empty"])._sheet()
        self.assertEqual([row[:2] for row in sheet.rows], [(self.first, "5"), ("empty", "0")])
        self.assertEqual((sheet.rows[0][3:], sheet.rows[1][2:]), (("4", "▁▃▅▇█"), ("", "", "")))
        self.assertIn("▁▃▅▇█", self.cdb.read([self.first])._repr_html_())

    @needs_frames
    def test_frame(self) -> None:
        """Of all of them there is one frame."""
        frame = self.cdb.read(self.points, t2=1020).to_df()
        self.assertEqual(list(frame.columns), [self.first, self.second])
        self.assertEqual([t.timestamp() for t in frame.index], [1000, 1010, 1015, 1020])
        self.assertEqual(frame[self.second].fillna(-1).tolist(), [0, -1, 1, -1])
        self.assertEqual(Readings().to_df().shape, (0, 0))

    @needs_frames
    def test_to_df(self) -> None:
        """A frame comes from the wire as from points at hand, with the same range of each."""
        for given in ({}, {"t1": 1010}, {"i1": 1, "i2": 3}, {"transform": "if $ > 2"}):
            with self.subTest(given):
                read: Any = self.cdb.read(self.points, **given)
                frame: Any = self.cdb.to_df(self.points, **given)  # type: ignore[arg-type]
                self.assertTrue(frame.equals(read.to_df()))
        self.assertEqual(len(self.cdb.to_df([])), 0)
