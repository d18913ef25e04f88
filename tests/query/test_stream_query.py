"""A stream with its range, as queries have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectordb import ConnectorDB
from connectordb.exceptions import InvalidRange, LocalProtocolError, NotFound
from connectordb.pipescript import Script, pipe
from connectordb.protocol.paths import NOBODYS_PATH
from connectordb.query import Dataset, Merge
from connectordb.query.stream_query import Query, Remote, check_zone, path_of, source

from ..support.case import Case
from ..support.target import TargetCase

NOTHING: dict[str, Any] = {"t1": None, "t2": None, "limit": None, "i1": None, "i2": None, "transform": None}


class Streams(Case):
    """How a stream may be named."""

    def setUp(self) -> None:
        super().setUp()
        self.cdb = ConnectorDB(url="http://localhost:9", connect=False)
        self.addCleanup(self.cdb.close)
        self.device = self.cdb("mara/lamp")

    def test_spellings(self) -> None:
        """A Stream, a path, and a bare name of the device's own are the same."""
        for stream in (self.device["light"], "mara/lamp/light", "light"):
            with self.subTest(stream):
                self.assertEqual(str(path_of(self.device, stream)), "mara/lamp/light")

    def test_downlinks(self) -> None:
        """A downlink is a stream too."""
        for stream in (self.cdb("mara/lamp/light/downlink"), "mara/lamp/light/downlink"):
            with self.subTest(stream):
                self.assertEqual(str(path_of(self.device, stream)), "mara/lamp/light/downlink")

    def test_what_is_none(self) -> None:
        """A device, a number and a bad name are no streams."""
        for stream, words in (
            ("mara/lamp", "is a device"),
            (5, "is no stream"),
            ("a b", "cannot be the name"),
            (self.device, "is no stream"),
        ):
            with self.subTest(stream), self.assertRaisesRegex(LocalProtocolError, words):
                path_of(self.device, stream)  # type: ignore[arg-type]

    def test_nobody(self) -> None:
        """Who has not logged in has no streams of their own."""
        self.cdb._session._login._path = NOBODYS_PATH
        with self.assertRaisesRegex(LocalProtocolError, "without logging in"):
            path_of(self.cdb, "light")
        self.assertEqual(str(path_of(self.cdb, "mara/lamp/light")), "mara/lamp/light")

    def test_ranges(self) -> None:
        """Only what was given is sent; mixed kinds are refused."""
        for given, wanted in (
            ({}, {}),
            ({"i1": -5, "transform": "mean"}, {"i1": -5, "transform": "mean"}),
            ({"transform": ""}, {}),
            ({"t1": 0, "transform": pipe("$ > {x}", x=-1)}, {"t1": 0.0, "transform": "$ > (-1)"}),
            ({"transform": Script("hour", tz="Asia/Tokyo")}, {"transform": 'hour("Asia/Tokyo")'}),
        ):
            with self.subTest(given):
                made = source(self.device, "light", **{**NOTHING, **given})
                assert isinstance(made, Remote)
                self.assertEqual(made.shown, {"stream": "mara/lamp/light", **wanted})
        with self.assertRaises(InvalidRange):
            source(self.device, "light", **{**NOTHING, "i1": 1, "t1": 1})
        with self.assertRaisesRegex(LocalProtocolError, "transform=5 is no PipeScript"):
            source(self.device, "light", **{**NOTHING, "transform": 5})

    def test_without_a_server(self) -> None:
        """A `Stream` knows its server; a path needs one."""
        made = source(None, self.device["light"], **NOTHING)
        assert isinstance(made, Remote)
        self.assertEqual((made.device, made.shown), (self.device, {"stream": "mara/lamp/light"}))
        for name in ("light", "mara/lamp/light"):
            with self.subTest(name), self.assertRaisesRegex(LocalProtocolError, "give the connection instead of None"):
                source(None, name, **NOTHING)

    def test_zones(self) -> None:
        """A server has its own."""
        check_zone("")
        with self.assertRaisesRegex(LocalProtocolError, r"hour\('Asia/Tokyo'\)"):
            check_zone("Asia/Tokyo")


class Fetching(TargetCase):
    """What a server holds is fetched, where it is lined up with what is at hand."""

    def test_ten_points_back(self) -> None:
        """A column begins ten points before the dataset does; a range of its own alone counts."""
        stream = self.stream()
        stream.insert_array([{"t": t, "d": t} for t in (1, *range(1, 30), 30, 30, 31)])
        times = [point["t"] for point in stream[:]]
        for since, begin in ((0, 0), (0.5, 0), (5, 0), (10.5, 1), (20, 11), (30, 22), (31, 0), (99, 0), (None, 0)):
            with self.subTest(since):
                made = source(stream.device, stream, **NOTHING)
                self.assertEqual([point["t"] for point in made.read(since)], times[begin:])
        made = source(stream.device, stream, **{**NOTHING, "t1": 25})
        self.assertEqual([point["t"] for point in made.read(20)], times[26:])


class Iterating(TargetCase):
    """Over what comes."""

    def setUp(self) -> None:
        super().setUp()
        self.near, self.far = self.stream(), self.stream()
        self.near.insert_array([{"t": float(t), "d": t / 4} for t in range(1, 3000)])
        self.far.insert_array([{"t": t + 0.5, "d": None if t % 3 else f"ä{t}"} for t in range(100)])

    def queries(self) -> Iterator[Query]:
        """Yield a query of each kind, run there and here."""
        for at_hand in ([], [[{"t": 2.0, "d": [1]}]]):
            merge = Merge(self.device())
            dataset = Dataset(self.device(), t1=0, t2=50, dt=0.5)
            for number, stream in enumerate([self.near, self.far.name, *at_hand]):
                merge.addStream(stream)
                dataset.addStream(stream, "before", colname=f"c{number}")
            yield merge
            yield dataset

    def test_the_same(self) -> None:
        """It is what `run` returns, and each time anew."""
        for query in self.queries():
            with self.subTest(query.query):
                expected = query.run()
                self.assertGreater(len(expected), 50)
                self.assertEqual(list(query), expected)
                self.assertEqual(list(query), expected)
                self.assertEqual(next(iter(query)), expected[0])

    def test_shown(self) -> None:
        """What is asked can be seen."""
        merge = Merge(None)
        merge.addStream([{"t": 1, "d": 2}], i1=1)
        self.assertEqual(repr(merge), "<Merge [{'datapoints': 1, 'i1': 1}]>")
        dataset = Dataset(self.device(), "a/b/c")
        self.assertEqual(repr(dataset), "<Dataset {'stream': 'a/b/c', 'dataset': {}}>")

    def test_csv(self) -> None:
        """It is written as the points would be; and if it comes to nothing there is no file."""
        folder = self.folder()
        for query in self.queries():
            query.to_csv(folder / "a.csv")
            query.run().to_csv(folder / "b.csv")
            self.assertEqual((folder / "a.csv").read_bytes(), (folder / "b.csv").read_bytes())
        (folder / "a.csv").unlink()
        wrong = Merge(self.device())
        wrong.addStream("none")
        with self.assertRaises(NotFound):
            wrong.to_csv(folder / "a.csv")
        self.assertEqual([each.name for each in folder.iterdir()], ["b.csv"])
