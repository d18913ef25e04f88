"""Merging streams."""

from __future__ import annotations

from connectordb import ConnectorDB, DatapointArray
from connectordb.exceptions import InvalidRange, LocalProtocolError, ServerError
from connectordb.pipescript import Script, pipe
from connectordb.query import Merge
from tests.frames.cases import needs_frames

from ..pictures import cases
from ..support.case import Case
from ..support.signatures import check_signatures
from ..support.target import TargetCase
from ..support.wire import Peer, answer

SIGNATURES = {
    Merge: "cdb",
    Merge.addStream: "stream t1=None t2=None limit=None i1=None i2=None transform=None",
    Merge.run: "",
}


class Signatures(Case):
    """Programs written for 0.3.5 call these."""

    def test_parameters(self) -> None:
        """Names, order and defaults are those that they use."""
        check_signatures(self, SIGNATURES)


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

    def test_streams(self) -> None:
        """A stream is a `Stream`, a path, or a name of one's own; a downlink, as a view or a path, is one too."""
        for stream in (self.cdb("mara/lamp")["light"], "mara/lamp/light", "light"):
            self.merge.addStream(stream)
        for stream in (self.cdb("mara/lamp/light/downlink"), "mara/lamp/light/downlink"):
            self.merge.addStream(stream)
        light, downlink = {"stream": "mara/lamp/light"}, {"stream": "mara/lamp/light/downlink"}
        self.assertEqual(self.merge.query, [light] * 3 + [downlink] * 2)

    def test_refusals(self) -> None:
        """The eleventh stream, mixed kinds of range, and what is no stream are refused before anything is sent."""
        for mixed in ({"t1": 1, "i1": 1}, {"t2": 1, "i2": 1}, {"i1": 1, "limit": 1}):
            self.assertRaises(InvalidRange, self.merge.addStream, "light", **mixed)
        with self.assertRaisesRegex(LocalProtocolError, "no PipeScript"):
            self.merge.addStream("light", transform=5)  # type: ignore[arg-type]
        for none in ("mara/lamp", "a/b/c/uplink", self.merge, None):
            self.assertRaises(LocalProtocolError, self.merge.addStream, none)
        self.assertEqual(self.merge.query, [])
        for _ in range(10):
            self.merge.addStream("light")
        with self.assertRaisesRegex(LocalProtocolError, "10 streams"):
            self.merge.addStream("light")
        self.assertEqual(len(self.merge.query), 10)

    def test_scripts(self) -> None:
        """Text, a pipe and a `Script` are transforms."""
        for transform in ("$ > 5", pipe("$ > {x}", x=5), Script("$ > 5")):
            self.merge.addStream("light", transform=transform)
        self.assertEqual(self.merge.query, [{"stream": "mara/lamp/light", "transform": "$ > 5"}] * 3)

    def test_merges(self) -> None:
        """A Merge in another is its streams, as they are at that time."""
        self.merge.addStream("a", i1=3)
        outer = Merge(self.cdb)
        outer.addStream("mara/room/door")
        outer.addStream(self.merge)
        self.merge.addStream("b")
        self.assertEqual(outer.query, [{"stream": "mara/room/door"}, {"stream": "mara/lamp/a", "i1": 3}])
        with self.assertRaisesRegex(InvalidRange, "limit beside a Merge"):
            outer.addStream(self.merge, limit=5)
        for _ in range(4):
            outer.addStream(self.merge)
        with self.assertRaisesRegex(LocalProtocolError, "10 streams"):
            outer.addStream(self.merge)


class AtHand(TargetCase):
    """Points that are at hand are merged here."""

    def test_merge(self) -> None:
        """In order of time, and of equal times those added first come first; the lists are those of the time of running."""
        first = [{"t": 1, "d": "a1"}, {"t": 3, "d": "a3", "o": "x/y"}]
        second = DatapointArray([{"t": 1, "d": "b1"}])
        merge = Merge(None)
        merge.addStream(first)
        merge.addStream(second)
        second.append({"t": 2})
        merged = merge.run()
        self.assertIs(type(merged), DatapointArray)
        self.assertEqual(merged, [{"t": 1, "d": "a1"}, {"t": 1, "d": "b1"}, {"t": 2, "d": None}, {"t": 3, "d": "a3"}])
        self.assertEqual(Merge(None).run(), [])

    def test_many(self) -> None:
        """Ten is a server's limit."""
        merge = Merge(None)
        for t in range(20):
            merge.addStream([{"t": t, "d": t}], transform="$ * 2")
        self.assertEqual(merge.run()["d"], [2 * t for t in range(20)])

    def test_mixed(self) -> None:
        """What a server holds is fetched, with its range."""
        device, stream = self.device(), self.stream()
        stream.insert_array([{"t": t, "d": "far"} for t in (1, 2, 3)])
        merge = Merge(device)
        merge.addStream([{"t": 2, "d": "near"}])
        merge.addStream(stream.name, t1=1)
        self.assertEqual(merge.run()["d"], ["near", "far", "far"])
        only = Merge(None)
        only.addStream(stream, i1=-1)
        self.assertEqual(only.run(), [{"t": 3, "d": "far"}])
        merge = Merge(device, tz="UTC")
        merge.addStream(stream)
        with self.assertRaisesRegex(LocalProtocolError, "is for what runs here"):
            merge.run()


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
        merged = merge.run()
        self.assertIsInstance(merged, DatapointArray)
        self.assertEqual(merged.d(), ["b1", "a1", "b2", "a3"])

    def test_downlinks(self) -> None:
        """A stream and its downlink are two; each may stand in a merge."""
        own = self.stream(downlink=True)
        own.insert_array([{"t": 1, "d": "point"}, {"t": 3, "d": "point"}])
        self.person()(own.path).insert_array([{"t": 2, "d": "command"}, {"t": 4, "d": None}])
        merge = Merge(self.person())
        merge.addStream(own)
        merge.addStream(self.person()(f"{own.path}/downlink"), t2=3)
        merge.addStream(f"{own.path}/downlink", i1=-1)
        merged = merge.run()
        self.assertEqual(
            [(point["t"], point["d"]) for point in merged], [(1, "point"), (2, "command"), (3, "point"), (4, None)]
        )

    def test_ranges(self) -> None:
        """Each stream has a range of its own, as when it is read alone."""
        own = self.stream()
        own.insert_array([{"t": float(i), "d": i} for i in range(1, 8)])
        for given in ({}, {"limit": 2}, {"t1": 2, "t2": 5}, {"t1": 2, "limit": 2}, {"i1": -2}, {"i1": 1, "i2": 3}):
            merge = Merge(self.device())
            merge.addStream(own.name, **given)
            with self.subTest(given):
                self.assertEqual(merge.run(), own(**given))
        merge = Merge(self.device())
        merge.addStream(own, transform="if $ > 5")
        self.assertEqual(merge.run().d(), [6, 7])

    def test_no_answer(self) -> None:
        """What is no list of points is the server's failure."""
        peer = Peer(answer("mara/user"), answer({"a": 1}))
        self.addCleanup(peer.close)
        with ConnectorDB("key", url=peer.url) as cdb, self.assertRaises(ServerError):
            Merge(cdb).run()


class Pictures(cases.DrawingCase):
    """Drawn."""

    def test_plot(self) -> None:
        """One line of all."""
        merge = Merge(None)
        merge.addStream(cases.points(1, 2))
        merge.addStream(cases.points(3, 4, step=90))
        axes = merge.plot(label="both")
        self.assertEqual(list(axes.get_lines()[0].get_ydata()), [1, 3, 2, 4])
        self.assertEqual(axes.figure.get_suptitle(), "both")


@needs_frames
class AsColumns(TargetCase):
    """Merges as arrays, frames and tables."""

    def test_as_columns(self) -> None:
        """Arrays, frames and tables are those of what `run` returns, from the wire as from points at hand."""
        device = self.device()
        for name, times in (("a", (1, 3)), ("b", (2, 4))):
            device[name].create({"type": "number"})
            device[name].insert_array([{"t": t, "d": t / 2} for t in times])
        for others in ([], [[{"t": 2.5, "d": 7}]]):
            with self.subTest(others):
                merge = Merge(device)
                for stream in ("a", "b", *others):
                    merge.addStream(stream)
                points = merge.run()
                self.assertEqual(merge.to_numpy().tolist(), points.to_numpy().tolist())
                self.assertTrue(merge.to_df().equals(points.to_df()))
                self.assertEqual(merge.to_arrow(), points.to_arrow())
                merge.to_parquet(self.folder() / "a.parquet")
        self.assertEqual(Merge(None).to_df().shape, (0, 1))
