"""Lining streams up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connectordb import ConnectorDB, DatapointArray
from connectordb.exceptions import InvalidRange, LocalProtocolError, PipeScriptError
from connectordb.pipescript import Script, pipe
from connectordb.query import Dataset, Merge
from tests.frames.cases import needs_frames

from ..pictures.cases import DrawingCase
from ..support.case import Case
from ..support.signatures import check_signatures
from ..support.target import TargetCase

_RANGE = "t1=None t2=None dt=None limit=None i1=None i2=None transform=None"
SIGNATURES = {
    Dataset: f"cdb x=None {_RANGE} posttransform=None",
    Dataset.addStream: f"stream interpolator='closest' {_RANGE} colname=None",
    Dataset.run: "",
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
        for dt in (3, timedelta(seconds=3)):
            dataset = Dataset(self.device, t1=0, t2=12, dt=dt)
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

    def test_column_names(self) -> None:
        """A column is called as the stream was given, by the path of a `Stream`, unless it has a name of its own."""
        dataset = Dataset(self.device, "mood")
        for stream in ("temp", "mara/lamp/temp", self.device["light"], "mara/lamp/temp/downlink"):
            dataset.addStream(stream)
        dataset.addStream(self.cdb("mara/lamp/light/downlink"))
        dataset.addStream("temp", colname="other")
        self.assertEqual(
            {name: column["stream"] for name, column in dataset.query["dataset"].items()},
            {
                "temp": "mara/lamp/temp",
                "mara/lamp/temp": "mara/lamp/temp",
                "mara/lamp/light": "mara/lamp/light",
                "mara/lamp/temp/downlink": "mara/lamp/temp/downlink",
                "mara/lamp/light/downlink": "mara/lamp/light/downlink",
                "other": "mara/lamp/temp",
            },
        )

    def test_names_refused(self) -> None:
        """A name is not used twice, and x is that of the reference."""
        for dataset in (Dataset(self.device, x="mood"), Dataset(self.device, t1=0, t2=1, dt=1)):
            dataset.addStream("temp")
            for name, said in (("temp", "already"), ("x", "the reference")):
                with self.subTest(name), self.assertRaisesRegex(LocalProtocolError, said):
                    dataset.addStream("other", colname=name)
            with self.assertRaisesRegex(LocalProtocolError, "the reference"):
                dataset.addStream("x")
            self.assertEqual(list(dataset.query["dataset"]), ["temp"])

    def test_references(self) -> None:
        """The reference is a `Stream`, a path, a downlink, or a name of one's own."""
        for x, wanted in (
            (self.device["mood"], "mara/lamp/mood"),
            ("mara/lamp/mood", "mara/lamp/mood"),
            ("mood", "mara/lamp/mood"),
            ("mara/lamp/mood/downlink", "mara/lamp/mood/downlink"),
            (self.cdb("mara/lamp/mood/downlink"), "mara/lamp/mood/downlink"),
        ):
            with self.subTest(x):
                self.assertEqual(Dataset(self.device, x).query["stream"], wanted)

    def test_wrong_kind(self) -> None:
        """What is no script, and no stream, is refused before anything is sent."""
        dataset = Dataset(self.device, "mood")
        for bad in ({"interpolator": None}, {"interpolator": ""}, {"interpolator": 5}, {"transform": 5}):
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                dataset.addStream("temp", **bad)
        with self.assertRaisesRegex(LocalProtocolError, "posttransform=5 is no PipeScript"):
            Dataset(self.device, "mood", posttransform=5)  # type: ignore[arg-type]
        for none in (5, None, "mara/lamp", self.device):
            with self.subTest(none), self.assertRaises(LocalProtocolError):
                dataset.addStream(none)  # type: ignore[arg-type]
        with self.assertRaises(InvalidRange):
            dataset.addStream("temp", t1=1, i1=1)
        self.assertEqual(dataset.query["dataset"], {})

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


MOOD = [{"t": 1, "d": 7}, {"t": 4, "d": 3}, {"t": 11, "d": 5}]
TEMP = [{"t": 2, "d": 73}, {"t": 5, "d": 84}, {"t": 8, "d": 81}, {"t": 11, "d": 79}]


class AtHand(Case):
    """Points that are at hand are lined up here."""

    def test_rows(self) -> None:
        """Without a server, by points and by time."""
        dataset = Dataset(None, x=MOOD)
        dataset.addStream(TEMP, colname="temp")
        rows = dataset.run()
        self.assertIs(type(rows), DatapointArray)
        self.assertEqual(
            rows,
            [
                {"t": 1, "d": {"temp": 73, "x": 7}},
                {"t": 4, "d": {"temp": 84, "x": 3}},
                {"t": 11, "d": {"temp": 79, "x": 5}},
            ],
        )
        dataset = Dataset(None, t1=0, t2=12, dt=3)
        dataset.addStream(DatapointArray(TEMP), "count", colname="n")
        dataset.addStream(TEMP, "before", colname="v")
        self.assertEqual(dataset.run()["d"], [{"n": 0, "v": None}] + [{"n": 1, "v": v} for v in (73, 84, 81)])

    def test_what_is_shown(self) -> None:
        """`query` tells how many points there are, and how they are used."""
        dataset = Dataset(None, x=MOOD, t1=2, transform="$ * 2")
        dataset.addStream(TEMP, "mean", limit=2, colname="temp", allownil=True)
        merge = Merge(None)
        merge.addStream(TEMP)
        dataset.addStream(merge, colname="both")
        self.assertEqual(
            dataset.query,
            {
                "datapoints": 3,
                "t1": 2.0,
                "transform": "$ * 2",
                "dataset": {
                    "temp": {"datapoints": 4, "limit": 2, "interpolator": "mean", "allownil": True},
                    "both": {"merge": [{"datapoints": 4}], "interpolator": "closest"},
                },
            },
        )

    def test_names(self) -> None:
        """Points have no name of their own."""
        with self.assertRaisesRegex(LocalProtocolError, "datapoints have no name of its own|colname"):
            Dataset(None, x=MOOD).addStream(TEMP)

    def test_nulls(self) -> None:
        """They stay without a posttransform; with one, rows go that lack a value which is not allowed to be missing."""
        early = [{"t": 0.5, "d": "x"}, {"t": 3, "d": None}, {"t": 5, "d": "y"}]
        for allownil in (False, True):
            for script, values in (
                (None, ["x", None, "y"]),
                ("$", ["x", None, "y"] if allownil else ["x", "y"]),
                (Script("$('e')"), [None, "y"]),
            ):
                dataset = Dataset(None, x=MOOD, posttransform=script)
                dataset.addStream(early, "before", colname="e", allownil=allownil)
                found = [row["e"] if isinstance(row, dict) else row for row in dataset.run()["d"]]
                with self.subTest(script=str(script), allownil=allownil):
                    self.assertEqual(
                        found,
                        values
                        if script is None or str(script) == "$"
                        else (["x", None, "y"] if allownil else ["x", "y"]),
                    )

    def test_interpolators(self) -> None:
        """Text is a name if there is one; what was made as a script is one, whatever it is called."""
        ones = [{"t": t, "d": 1} for t in (1, 2, 3)]
        for interpolator, wanted, said in (
            ("sum", 3, "sum"),
            (pipe("sum"), 3, "(sum)"),
            (Script("count"), 3, "(count)"),
            (pipe("$ * {x}", x=5), 5, "$ * 5"),
            ("if $ > 5", None, "if $ > 5"),
        ):
            with self.subTest(repr(interpolator)):
                dataset = Dataset(None, x=[{"t": 4, "d": 0}])
                dataset.addStream(ones, interpolator, colname="c")
                self.assertEqual(dataset.query["dataset"]["c"]["interpolator"], said)
                self.assertEqual(dataset.run()["d"], [{"x": 0, "c": wanted}])

    def test_time_zones(self) -> None:
        """Every script uses the dataset's, but for those that have one of their own."""
        points = [{"t": 86400 * 10, "d": 0}]
        dataset = Dataset(None, x=points, transform="dayhour", posttransform="set('p', dayhour)", tz="Asia/Tokyo")
        dataset.addStream(points, "dayhour", colname="i")
        dataset.addStream(points, transform="dayhour", colname="t")
        dataset.addStream(points, transform=Script("dayhour", tz="UTC"), colname="u")
        self.assertEqual(dataset.run()["d"], [{"x": 9, "i": 9, "t": 9, "u": 0, "p": 9}])

    def test_errors(self) -> None:
        """A script that is none is told when it is given, one that fails when it runs."""
        dataset = Dataset(None, x=MOOD)
        with self.assertRaises(PipeScriptError):
            dataset.addStream(TEMP, transform="if if", colname="a")
        dataset.addStream(TEMP, "average", colname="a")
        with self.assertRaisesRegex(PipeScriptError, "average"):
            dataset.run()
        dataset = Dataset(None, x=MOOD)
        dataset.addStream([{"t": 1, "d": "x"}], "sum", colname="a")
        with self.assertRaisesRegex(PipeScriptError, "x"):
            dataset.run()


class Mixed(TargetCase):
    """What a server holds is fetched, where points at hand are among it."""

    def test_mixed(self) -> None:
        """The rows are those of the server's."""
        device, mood, temp = self.device(), self.stream(), self.stream()
        mood.insert_array(MOOD)
        temp.insert_array(TEMP)
        for x, column in ((mood, temp), (mood[:], temp), (mood, temp[:]), (mood[:], temp[:])):
            for given in ({"x": x}, {"x": x, "t1": 2}, {"t1": 1, "t2": 9, "dt": 2.5}):
                dataset = Dataset(device, **given)  # type: ignore[arg-type]
                dataset.addStream(column, "closest", colname="temp")
                whole = Dataset(None, **{**given, **({"x": mood[:]} if "x" in given else {})})  # type: ignore[arg-type]
                whole.addStream(TEMP, "closest", colname="temp")
                with self.subTest(given=str(given)):
                    self.assertEqual(dataset.run(), whole.run())

    def test_zone_of_a_server(self) -> None:
        """A zone is refused where everything runs on the server."""
        dataset = Dataset(self.device(), x="mood", tz="UTC")
        dataset.addStream("temp")
        with self.assertRaisesRegex(LocalProtocolError, "is for what runs here"):
            dataset.run()


class Running(TargetCase):
    """What comes back."""

    def test_rows(self) -> None:
        """Each row has the reference's value and the columns'."""
        device = self.device()
        for name, points in (("mood", [(1, 7), (4, 3), (11, 5)]), ("temp", [(2, 73), (5, 84), (8, 81), (11, 79)])):
            device[name].create({"type": "number"})
            device[name].insert_array([{"t": t, "d": d} for t, d in points])
        self.assertEqual(
            self.rows(device, "mood", "temp"), [{"temp": 73, "x": 7}, {"temp": 84, "x": 3}, {"temp": 79, "x": 5}]
        )

    def test_by_time(self) -> None:
        """Rows come at every step; one at time 0 lacks its time, and a column without a value is None."""
        device, own, empty = self.device(), self.stream(), self.stream()
        own.insert_array([{"t": 1, "d": "one"}, {"t": 2, "d": "two"}])
        dataset = Dataset(device, t1=0, t2=3, dt=1)
        dataset.addStream(own, colname="own")
        dataset.addStream(empty.name, colname="none")
        rows = self.ran(dataset)
        self.assertEqual([row.get("t") for row in rows], [None, 1, 2])
        self.assertEqual(
            rows.d(), [{"own": "one", "none": None}, {"own": "one", "none": None}, {"own": "two", "none": None}]
        )
        self.assertEqual(rows[0]["d"], rows.d()[0])

    def test_downlinks(self) -> None:
        """A downlink may be the reference, or a column, and so may a `Merge`."""
        own = self.stream(downlink=True)
        own.insert_array([{"t": 1, "d": 1}])
        self.person()(own.path).insert_array([{"t": 2, "d": 2}])
        view = f"{own.path}/downlink"
        self.assertEqual(self.rows(self.device(), view, own.name), [{"x": 2, own.name: 1}])
        self.assertEqual(self.rows(self.device(), own, view), [{"x": 1, f"{own.path}/downlink": 2}])
        merge = Merge(self.device())
        merge.addStream(own)
        merge.addStream(view)
        self.assertEqual(self.rows(self.device(), merge, own.name), [{"x": 1, own.name: 1}, {"x": 2, own.name: 1}])

    def rows(self, device: Any, x: Any, *columns: Any) -> list[Any]:
        """Return the rows' values."""
        dataset = Dataset(device, x=x)
        for column in columns:
            dataset.addStream(column)
        return self.ran(dataset).d()

    def ran(self, dataset: Dataset) -> DatapointArray:
        """Return the rows."""
        rows = dataset.run()
        self.assertIs(type(rows), DatapointArray)
        return rows


class Pictures(DrawingCase, TargetCase):
    """Drawn."""

    def test_units(self) -> None:
        """Columns of one unit share axes; what no stream's values are, as a count or what a script makes, has no unit."""
        heat, outdoors = (self.stream({"type": "number", "unit": "°C"}) for _ in range(2))
        for number, stream in enumerate((heat, outdoors)):
            stream.insert_array([{"t": t, "d": t + 100 * number} for t in range(1, 6)])
        dataset = Dataset(self.device(), x=heat)
        dataset.addStream(outdoors, colname="outdoors")
        dataset.addStream(outdoors, "count", colname="n")
        dataset.addStream(outdoors, "mean", transform="$ * 2", colname="scaled")
        axes = dataset.plot(label="A day")
        self.assertEqual([each.get_ylabel() for each in axes.figure.axes], ["°C", "", ""])
        self.assertEqual(axes.figure.get_suptitle(), "A day")

    def test_at_hand(self) -> None:
        """What has no server is drawn; so is nothing, and what a script makes of the rows."""
        dataset = Dataset(None, x=MOOD, posttransform="if $('x') > 5")
        dataset.addStream(TEMP, colname="temp")
        axes = dataset.plot()
        self.assertEqual([list(line.get_ydata()) for line in axes.get_lines()], [[7.0], [73.0]])
        dataset = Dataset(None, x=[])
        dataset.addStream(TEMP, colname="temp")
        self.assertEqual([text.get_text() for text in dataset.plot().texts], ["no datapoints"])


@needs_frames
class AsColumns(TargetCase):
    """Datasets as arrays, frames and tables."""

    def test_as_columns(self) -> None:
        """Arrays, frames and tables are those of the rows, wherever it runs."""
        device, mood = self.device(), self.stream()
        mood.insert_array(MOOD)
        for other in (mood, TEMP):
            with self.subTest(other):
                dataset = Dataset(device, x=mood)
                dataset.addStream(other, colname="other")
                self.assertTrue(dataset.to_df().equals(dataset.run().to_df()))
                self.assertEqual(list(dataset.to_df().columns), list(dataset.run()[0]["d"]))
                self.assertEqual(dataset.to_numpy().tolist(), dataset.run().to_numpy().tolist())
                self.assertEqual(dataset.to_arrow(), dataset.run().to_arrow())
        with self.assertRaisesRegex(LocalProtocolError, "no column"):
            Dataset(device, x=mood).to_df()
