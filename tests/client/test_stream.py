"""Streams: writing, reading, lengths, downlinks, subscriptions."""

from __future__ import annotations

import math
import queue
import time
import uuid
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb import (
    Conflict,
    ConnectionFailed,
    ConnectorDB,
    DatapointArray,
    DatapointWarning,
    InvalidRange,
    InvalidRequest,
    LocalProtocolError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ServerError,
    Stream,
    Timeout,
)
from connectordb.pipescript import Script, pipe
from tests.support.case import MS, SOON, Case
from tests.support.live_cases import Record
from tests.support.target import TargetCase, new_name
from tests.support.wire import Peer, Received, Step, Tree, answer, by_request, hang_up, refuse, silence

#: Within and around the streams, and beyond what 64 bits hold.
_indices = st.one_of(st.none(), st.integers(-9, 9), st.integers())

POINTS = [{"t": float(i), "d": i * 10} for i in range(1, 8)]


class Metadata(TargetCase):
    """Creating and changing streams."""

    def test_create(self) -> None:
        """The schema is a dict or JSON text; everything else is a property."""
        device = self.device()
        for schema in ({"type": "number", "minimum": 5}, '{"type": "number", "minimum": 5}'):
            stream = device[new_name()]
            stream.create(schema, nickname="N", datatype="temperature.celsius", downlink=True, ephemeral=True)
            self.assertEqual(
                (stream.schema, stream.sschema), ({"type": "number", "minimum": 5}, '{"type":"number","minimum":5}')
            )
            self.assertEqual(
                (stream.nickname, stream.datatype, stream.downlink, stream.ephemeral),
                ("N", "temperature.celsius", True, True),
            )
        plain = device[new_name()]
        plain.create()
        self.assertEqual((plain.schema, plain.sschema, plain.datatype, plain.downlink), ({}, "{}", "", False))

    def test_bad_schema(self) -> None:
        """A bad schema is refused before anything is sent."""
        stream = self.device()[new_name()]
        for bad in (
            {"type": "nosuch"},
            {"type": 5},
            '{"required": 5}',
            "[]",
            {"pattern": "("},
            {"$ref": "http://x.org/"},
        ):
            with self.subTest(bad), self.assertRaises(jsonschema.SchemaError):
                stream.create(bad)  # type: ignore[arg-type]
        for bad in ("{", "no json", 5, [1], {"type": float("nan")}):
            with self.subTest(bad), self.assertRaises(ValueError):
                stream.create(bad)  # type: ignore[arg-type]
        self.assertFalse(stream.exists())
        stream.create()
        with self.assertRaises(jsonschema.SchemaError):
            stream.schema = {"type": "nosuch"}
        with self.assertRaises(jsonschema.SchemaError):
            stream.set({"schema": '{"type": "nosuch"}'})

    def test_schema_in_the_servers_reading(self) -> None:
        """What the server takes is taken: bounds that are exclusive by a boolean, or by a number; `true` is none."""
        for schema, allowed in (
            ({"type": "number", "minimum": 5, "exclusiveMinimum": True}, 5.5),
            ({"type": "number", "exclusiveMinimum": 5}, 5.5),
            ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": "x"}),
        ):
            stream = self.stream(schema)
            stream.insert(allowed)
            with self.subTest(schema):
                self.assertEqual((stream.schema, stream[:].d()), (schema, [allowed]))
                self.stream().set({"schema": schema})

    def test_change(self) -> None:
        """All of it can be changed, the schema too; points that are there stay."""
        stream = self.stream({"type": "string"})
        stream.insert("text")
        stream.schema = {"type": "number"}
        stream.datatype = "x"
        stream.ephemeral = True
        stream.description = "changed"
        stream.set({"schema": '{"type": "number", "minimum": 1}', "ephemeral": False})
        stream.refresh()
        self.assertEqual(
            (stream.schema, stream.datatype, stream.description), ({"type": "number", "minimum": 1}, "x", "changed")
        )
        self.assertEqual((stream.ephemeral, stream[:].d()), (False, ["text"]))

    def test_taken(self) -> None:
        """A name that is taken is a conflict; one in a device that is not there is not found."""
        stream = self.stream()
        with self.assertRaises(Conflict):
            stream.create()
        with self.assertRaises((NotFound, PermissionDenied)):
            self.person().user["nosuch"]["x"].create()


class Writing(TargetCase):
    """Appending points."""

    def test_insert(self) -> None:
        """One value, at the caller's clock; append is the same."""
        stream = self.stream()
        before = time.time()
        stream.insert(5)
        stream.append({"a": [1, 2.5, "text", True, None]})
        stream.insert(None)
        points = stream[:]
        self.assertEqual(points.d(), [5, {"a": [1, 2.5, "text", True, None]}, None])
        self.assertTrue(all(before - 1 < point["t"] < time.time() + 1 for point in points))
        self.assertEqual(set(points[2]), {"t", "d"})

    def test_insert_behind(self) -> None:
        """Where something newer is stored the time is moved, and no value suffers from it."""
        values: list[Any] = [
            1,
            "x",
            None,
            {},
            {"a": None},
            [1, None, 3],
            [None],
            {"a": {}},
            [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],
        ]
        future = float(int(time.time()) + 1000)
        for value in values:
            stream = self.stream()
            stream.insert_array([{"t": future, "d": "newest"}])
            stream.insert(value)
            stream.insert(value)
            with self.subTest(value):
                points = stream[:]
                self.assertEqual(points.d(), ["newest", value, value])
                self.assertEqual([point["t"] for point in points], [future, future + 0.00001, future + 0.00001])

    def test_insert_refused(self) -> None:
        """What is no JSON value is refused here, what the schema does not allow by the server, and both say why."""
        stream = self.stream({"type": "number"})
        for bad, said in (
            (math.nan, "no NaN"),
            (math.inf, "no infinities"),
            (b"x", "bytes"),
            ({1}, "set"),
            (object(), "object"),
            (uuid.uuid4(), "UUID"),
            ({"a": [1, {2}]}, r"\['a'\]\[1\]"),
        ):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, said):
                stream.insert(bad)
        with self.assertRaisesRegex(InvalidRequest, "'text' is not of type 'number'.*the schema is") as caught:
            stream.insert("text")
        self.assertEqual(caught.exception.status, 403)
        with self.assertRaisesRegex(InvalidRequest, r"datapoint 1: \[\] is not of type 'number'"):
            stream.insert_array([{"t": 1, "d": 1}, {"t": 2, "d": []}])
        with self.assertRaisesRegex(InvalidRequest, "'b': 999}]} is not of type 'number'") as caught:
            stream.insert({"a": [{"b": number} for number in range(1000)]})
        self.assertLess(len(str(caught.exception)), 1000)
        self.assertEqual(len(stream), 0)

    def test_not_there(self) -> None:
        """A stream that is not there is not found."""
        with self.assertRaises(NotFound):
            self.device()[new_name()].insert(1)
        with self.assertRaises(NotFound):
            self.device()[new_name()].insert_array([{"t": 1, "d": 1}])

    def test_only_the_owner(self) -> None:
        """Nobody but the stream's own device puts points into it."""
        stream = self.stream()
        for cdb in (self.person(), self.admin()):
            with self.assertRaisesRegex(PermissionDenied, "denied; only .* itself puts points into its streams"):
                cdb(stream.path).insert(1)

    def test_insert_array(self) -> None:
        """Lists, arrays and iterators of points; times and values come back as they went."""
        points = [{"t": 1.5, "d": "a"}, {"t": 1.5, "d": "b"}, {"t": 1512345678.123456, "d": {"x": None}}]
        for source in (points, tuple(points), DatapointArray(points), iter(points), (point for point in points)):
            stream = self.stream()
            stream.insert_array(source)
            self.assertEqual(stream[:], points)

    def test_doubtful(self) -> None:
        """Milliseconds, and integers that a server keeps as others, are taken as by 0.3.5, with one warning for a call."""
        stream = self.stream()
        points = [{"t": 1.0, "d": 2**53 + 1}, {"t": 1767225600000.0, "d": 1}, {"t": 1767225600001.0, "d": 2**53 + 1}]
        with self.assertWarnsRegex(DatapointWarning, "datapoint 0 has the integer 9007199254740993") as caught:
            stream.insert_array(points)
        self.assertEqual((len(caught.warnings), caught.filename), (1, __file__))
        self.assertEqual([point["t"] for point in stream[:]], [1.0, 1767225600000.0, 1767225600001.0])
        with self.assertWarnsRegex(
            DatapointWarning, "datapoint 0 has t=1767225600001.0.*no point with an earlier time"
        ):
            stream.insert_array(iter([{"t": 1767225600001.0 + each, "d": 0} for each in range(2)]), restamp=True)
        with self.assertWarnsRegex(DatapointWarning, "the value has the integer -9007199254740993") as caught:
            stream.insert({"a": [-(2**53) - 1]})
        self.assertEqual((len(caught.warnings), caught.filename, len(stream)), (1, __file__, 6))
        with warnings.catch_warnings():
            warnings.simplefilter("error", DatapointWarning)
            with self.assertRaisesRegex(DatapointWarning, "; before that, nothing of this call was stored"):
                stream.insert_array(points)
            self.assertEqual(len(stream), 6)
            late = 1767225600002.0
            with self.assertRaisesRegex(DatapointWarning, "5000 datapoints of this call were stored") as raised:
                self.stream().insert_array({"t": t, "d": 0} for t in [*range(1, 5001), late])
            self.assertEqual(raised.exception.stored, 5000)  # type: ignore[attr-defined]

    def test_nothing(self) -> None:
        """Nothing to insert is no request."""
        stream = self.device()[new_name()]
        stream.insert_array([])
        stream.insert_array(iter([]))

    def test_many(self) -> None:
        """More points than go into one insert, or into one page of a read."""
        # small ones: deleting a stream of more than 250 points can kill an original server
        self.enter(mock.patch("connectordb.client.points.batches.DATAPOINT_INSERT_LIMIT", 50))
        self.enter(mock.patch("connectordb.client.long_stream.PAGE", 30))
        stream = self.stream({"type": "integer"})
        stream.insert_array({"t": float(i), "d": i} for i in range(1, 121))
        self.assertEqual(len(stream), 120)
        self.assertEqual(stream[:].d(), list(range(1, 121)))
        self.assertEqual([point["d"] for point in stream], list(range(1, 121)))

    def enter(self, context: Any) -> None:
        """Have something for the length of the test."""
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def test_order(self) -> None:
        """A list out of order stores nothing, wherever the fault is."""
        stream = self.stream()
        points = [{"t": float(i), "d": i} for i in range(1, 6001)]
        with self.assertRaisesRegex(LocalProtocolError, "datapoint 6000 .* sort the datapoints first") as caught:
            stream.insert_array([*points, {"t": 1.0, "d": 0}])
        self.assertEqual(caught.exception.stored, 0)  # type: ignore[attr-defined]
        self.assertEqual(len(stream), 0)
        with self.assertRaisesRegex(LocalProtocolError, "datapoint 1: .*NaN"):
            stream.insert_array([{"t": 1, "d": 1}, {"t": 2, "d": math.nan}])
        self.assertEqual(len(stream), 0)

    def test_how_many_were_stored(self) -> None:
        """Of an iterator that goes wrong, what was sent before is stored, and the error says how much."""
        self.enter(mock.patch("connectordb.client.points.batches.DATAPOINT_INSERT_LIMIT", 50))
        stream = self.stream()

        def points() -> Iterator[dict[str, Any]]:
            for i in range(1, 61):
                yield {"t": float(i), "d": i}
            yield {"t": 1.0, "d": "late"}

        with self.assertRaisesRegex(LocalProtocolError, "50 datapoints of this call were stored") as caught:
            stream.insert_array(points())
        self.assertEqual((caught.exception.stored, len(stream)), (50, 50))  # type: ignore[attr-defined]

    def test_before_1970(self) -> None:
        """An empty stream refuses times before 1970, and the error says so."""
        with self.assertRaisesRegex(Conflict, "has t=-5.0, and no stream holds times before 1970"):
            self.stream().insert_array([{"t": -5, "d": 1}])

    def test_older(self) -> None:
        """Points older than what is there are refused, or with restamp moved to it."""
        stream = self.stream()
        stream.insert_array([{"t": 100.0, "d": "newest"}])
        late = [{"t": 50.0, "d": 1}, {"t": 60.0, "d": 2}, {"t": 200.0, "d": 3}]
        with self.assertRaisesRegex(Conflict, "has t=50.0, .*restamp=True.*nothing of this call was stored") as caught:
            stream.insert_array(late)
        self.assertEqual(caught.exception.stored, 0)  # type: ignore[attr-defined]
        self.assertEqual(len(stream), 1)
        stream.insert_array(late, restamp=True)
        self.assertEqual(
            stream[:],
            [{"t": 100.0, "d": "newest"}, {"t": 100.00001, "d": 1}, {"t": 100.00001, "d": 2}, {"t": 200.0, "d": 3}],
        )

    def test_restamp_damages_nothing(self) -> None:
        """Values that restamping damages on an original server are kept whole."""
        stream = self.stream()
        stream.insert_array([{"t": 100.5, "d": "newest"}])
        stream.insert_array(
            [{"t": 50.0, "d": {}}, {"t": 60.0, "d": [1, None, 3]}, {"t": 70.0, "d": {"a": None}}], restamp=True
        )
        self.assertEqual(stream[1:].d(), [{}, [1, None, 3], {"a": None}])
        self.assertEqual({point["t"] for point in stream[1:]}, {100.5})

    def test_ephemeral(self) -> None:
        """An ephemeral stream stores nothing."""
        stream = self.stream(ephemeral=True)
        stream.insert(5)
        stream.insert_array([{"t": 1, "d": 1}])
        self.assertEqual((len(stream), stream[:]), (0, []))


class Reading(TargetCase):
    """By index, by time, and by slice."""

    def setUp(self) -> None:
        super().setUp()
        self.filled = self.stream({"type": "integer"})
        self.filled.insert_array(POINTS)

    def test_slices(self) -> None:
        """A slice is that of a list, for all integers and None."""
        listed = list(self.filled)
        self.assertEqual(listed, POINTS)
        edges = [None, 0, 1, 3, 6, 7, 8, 50, -1, -2, -7, -8, -50, 2**70, -(2**70)]
        for start in edges:
            for stop in edges:
                with self.subTest(start=start, stop=stop):
                    self.assertEqual(self.filled[start:stop], listed[start:stop])
        for start, stop, step in (
            (None, None, 2),
            (1, 6, 2),
            (None, None, -1),
            (-2, None, -2),
            (5, 1, -1),
            (0, -8, -3),
            (-50, 50, 3),
            (50, -50, -3),
            (3, 3, -1),
            (None, -3, -1),
            (-1, None, -1),
        ):
            with self.subTest(start=start, stop=stop, step=step):
                self.assertEqual(self.filled[start:stop:step], listed[start:stop:step])
        self.assertIsInstance(self.filled[1:3], DatapointArray)
        with self.assertRaisesRegex(ValueError, "zero"):
            self.filled[::0]

    def test_empty(self) -> None:
        """A stream without points is an empty list."""
        stream = self.stream()
        for part in (slice(None), slice(1, None), slice(-1, None), slice(2, 1), slice(5, 9), slice(None, None, -1)):
            self.assertEqual(stream[part], [])
        self.assertEqual((stream(), stream(t1=5), stream(limit=5), list(stream), len(stream)), ([], [], [], [], 0))
        for index in (0, 1, -1, 5, -5):
            with self.assertRaises(IndexError):
                stream[index]

    def test_index(self) -> None:
        """One point by its index, from either end."""
        for index in range(-7, 7):
            self.assertEqual(self.filled[index], POINTS[index])
        for index in (7, 8, 100, -8, -9, -100, 2**80):
            with self.subTest(index), self.assertRaisesRegex(IndexError, "has no point at index"):
                self.filled[index]

    def test_wrong_kind(self) -> None:
        """What is no index and no time is refused before anything is sent."""
        stream = self.device()[new_name()]
        for use in (
            lambda: stream["x"],  # type: ignore[call-overload]
            lambda: stream[1.5],  # type: ignore[call-overload]
            lambda: stream[True],
            lambda: stream["a":"b"],  # type: ignore[misc]
            lambda: stream(i1="1"),  # type: ignore[arg-type]
            lambda: stream(t1="the day of the fair"),
            lambda: stream(t1=math.nan),
            lambda: stream(limit=-1),
            lambda: stream(limit="5"),  # type: ignore[arg-type]
            lambda: stream(t1=[1]),  # type: ignore[arg-type]
        ):
            with self.assertRaises(InvalidRange):
                use()
        with self.assertRaisesRegex(LocalProtocolError, "no PipeScript"):
            stream(transform=5)  # type: ignore[arg-type]

    def test_mixed(self) -> None:
        """Times and indices do not go together; the error is also those of 0.3.5 and of Python."""
        stream = self.device()[new_name()]
        for mixed in ({"i1": 1, "t1": 1}, {"i2": 1, "t2": 1}, {"i1": 1, "limit": 5}, {"i1": 0, "t1": 0}):
            for kind in (InvalidRange, ValueError, AssertionError):
                with self.subTest(mixed), self.assertRaises(kind):
                    stream(**mixed)

    def test_calls(self) -> None:
        """Ranges by index and by time, as the server counts."""
        for range_, wanted in (
            ({}, POINTS),
            ({"i1": 2}, POINTS[2:]),
            ({"i2": 2}, POINTS[:2]),
            ({"i1": -2}, POINTS[-2:]),
            ({"i1": 1, "i2": -1}, POINTS[1:-1]),
            ({"i1": 50}, []),
            ({"i1": 3, "i2": 2}, []),
            ({"t1": 2}, POINTS[2:]),
            ({"t2": 2}, POINTS[:2]),
            ({"t1": 2, "t2": 4}, POINTS[2:4]),
            ({"t1": 2, "limit": 2}, POINTS[2:4]),
            ({"limit": 3}, POINTS[:3]),
            ({"limit": 0}, POINTS),
            ({"t1": 4, "t2": 2}, []),
            ({"t1": datetime.fromtimestamp(2, timezone.utc)}, POINTS[2:]),
            ({"t2": "1970-01-01T00:00:02Z"}, POINTS[:2]),
            ({"t1": timedelta(days=1)}, []),
            ({"t2": timedelta(days=1)}, POINTS),
        ):
            with self.subTest(range_):
                self.assertEqual(self.filled(**range_), wanted)
        self.assertEqual(self.filled(2, 4), POINTS[2:4])

    def test_bad_transform(self) -> None:
        """A transform that is none is the caller's mistake."""
        with self.assertRaises(InvalidRequest):
            self.filled(transform="if if")

    def test_transforms(self) -> None:
        """A transform alone runs over everything, with a range over that; of the downlink too."""
        self.filled.downlink = True
        self.person()(self.filled.path).insert_array([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 2}])
        for range_, wanted in (
            ({}, [40, 50, 60, 70]),
            ({"limit": 2}, [40, 50]),
            ({"i1": -2}, [60, 70]),
            ({"t1": 5}, [60, 70]),
            ({"t2": 4}, [40]),
        ):
            with self.subTest(range_):
                self.assertEqual(self.filled(**range_, transform="if $ > 30").d(), wanted)
        self.assertEqual(self.filled(transform="if last", downlink=True).d(), [2])
        self.assertEqual(self.device()(f"{self.filled.path}/downlink")(transform="if last").d(), [2])

    def test_length(self) -> None:
        """How many there are, in the stream and in its downlink."""
        self.assertEqual((len(self.filled), self.filled.length(), self.filled.length(downlink=True)), (7, 7, 0))
        self.assertEqual(self.filled.length(True), 0)

    def test_iterating(self) -> None:
        """A stream is iterated page by page."""
        self.assertEqual(list(self.filled), POINTS)
        self.assertEqual(list(self.filled.points()), POINTS)
        self.assertEqual(list(reversed(self.filled)), POINTS[::-1])  # type: ignore[call-overload]
        self.assertIn(POINTS[0], self.filled)


class AsAList(TargetCase):
    """Whatever the indices: what a list of the points gives."""

    def setUp(self) -> None:
        super().setUp()
        self.lists = [POINTS[:length] for length in (0, 1, 2, 7)]
        self.streams = [self.stream({"type": "integer"}) for _ in self.lists]
        for stream, points in zip(self.streams, self.lists, strict=True):
            stream.insert_array(points)

    @settings(deadline=None, max_examples=150)
    @given(st.integers(0, 3), _indices, _indices, _indices.filter(lambda step: step != 0))
    def test_slices(self, number: int, start: int | None, stop: int | None, step: int | None) -> None:
        """stream[a:b:c] is list(stream)[a:b:c], for all integers and None."""
        found = self.streams[number][start:stop:step]
        self.assertEqual(found, self.lists[number][start:stop:step])
        self.assertIs(type(found), DatapointArray)

    @settings(deadline=None, max_examples=60)
    @given(st.integers(0, 3), _indices.filter(lambda index: index is not None))
    def test_indices(self, number: int, index: int) -> None:
        """stream[i] is list(stream)[i], or an IndexError where that is one."""
        try:
            wanted = self.lists[number][index]
        except IndexError:
            with self.assertRaises(IndexError):
                self.streams[number][index]
        else:
            self.assertEqual(self.streams[number][index], wanted)


class Downlinks(TargetCase):
    """What other devices want a stream to be."""

    def setUp(self) -> None:
        super().setUp()
        self.own = self.stream({"type": "boolean"}, downlink=True)
        self.seen = self.person()(self.own.path)

    def test_redirected(self) -> None:
        """What another device inserts goes to the downlink, with its name."""
        self.seen.insert(True)
        self.assertEqual((len(self.seen), self.seen.length(downlink=True)), (0, 1))
        point = self.own(downlink=True)[0]
        self.assertEqual((point["d"], point["o"]), (True, f"{self.user_name}/user"))
        self.own.insert(True)
        self.assertEqual((self.own.length(), self.own.length(downlink=True)), (1, 1))

    def test_view(self) -> None:
        """The downlink as a path of its own reads, has a length, and is inserted into."""
        view = self.person()(f"{self.own.path}/downlink")
        self.assertEqual((view.path, view.name), (f"{self.own.path}/downlink", self.own.name))
        view.insert(True)
        view.insert_array([{"t": time.time() + 5, "d": False}])
        self.assertEqual((len(view), view.length(), view[-1]["d"], view[:].d()), (2, 2, False, [True, False]))
        self.assertEqual(
            (view(limit=1).d(), view(downlink=True).d(), [p["d"] for p in view]), ([True], [True, False], [True, False])
        )
        self.assertEqual((len(self.own), view.exists(), view.downlink), (0, True, True))
        self.assertEqual((view.device, view.user), (self.own.device, self.own.user))

    def test_values_that_restamping_damages(self) -> None:
        """Commands of any value arrive whole, also behind a newer one."""
        own = self.stream(downlink=True)
        seen = self.person()(own.path)
        seen.insert_array([{"t": time.time() + 1000, "d": "newest"}])
        for value in ({"a": None}, [1, None, 3], {}):
            seen.insert(value)
        self.assertEqual(own(downlink=True).d(), ["newest", {"a": None}, [1, None, 3], {}])
        self.assertEqual(len(own), 0)

    def test_empty_it(self) -> None:
        """Deleting the view deletes its points only, also if there never was one."""
        view = self.person()(f"{self.own.path}/downlink")
        view.delete()
        view.insert(True)
        view.delete()
        self.assertEqual((len(view), self.own.exists()), (0, True))
        with self.assertRaisesRegex(LocalProtocolError, "created together with its stream"):
            view.create()

    def test_any_other_fourth_part(self) -> None:
        """No other part may follow a stream's name."""
        with self.assertRaisesRegex(LocalProtocolError, "only '/downlink' may follow"):
            self.person()(f"{self.own.path}/uplink")


class Subscribing(TargetCase):
    """By way of the live client; what it does is tested with it."""

    def test_subscribe(self) -> None:
        """A callback is called with what is inserted, until it is unsubscribed."""
        stream, arrived = self.stream(), queue.Queue[tuple[str, list[dict[str, Any]]]]()
        stream.subscribe(lambda path, points: arrived.put((path, points)))
        stream.insert(5)
        path, points = arrived.get(timeout=10)
        self.assertEqual((path, points[0]["d"]), (stream.path, 5))
        stream.unsubscribe()
        stream.unsubscribe()
        stream._session.close()

    def test_downlink(self) -> None:
        """The downlink is watched as a parameter or as a path, and acknowledged by what a callback returns."""
        own = self.stream({"type": "boolean"}, downlink=True)
        arrived: queue.Queue[str] = queue.Queue()

        def switch(path: str, points: list[dict[str, Any]]) -> bool:
            arrived.put(path)
            return True

        for number, (watched, options) in enumerate(((own, {"downlink": True}), (own._view_of_downlink(), {})), 1):
            watched.subscribe(switch, **options)
            self.person()(own.path).insert(True)
            self.assertEqual(arrived.get(timeout=10), f"{own.path}/downlink")
            self.eventually(lambda: len(own) == number, "the acknowledgement")  # noqa: B023
            self.assertEqual(own[-1]["d"], True)
            watched.unsubscribe(**options)
        own._session.close()

    def test_which_is_which(self) -> None:
        """The view's path and downlink=True are one subscription, the stream is another."""
        own, one, two, of_stream = self.stream(downlink=True), Record(), Record(), Record()
        own.subscribe(of_stream)
        own.subscribe(one, downlink=True)
        own._view_of_downlink().subscribe(two)
        self.person()(own.path).insert(1)
        self.eventually(lambda: two.values == [1])
        own.unsubscribe(downlink=True)
        self.person()(own.path).insert(2)
        own.insert(3)
        self.eventually(lambda: of_stream.values == [3])
        own._session.close()
        self.assertEqual((one.values, two.values), ([], [1]))
        self.assertEqual({path for path, _ in two.calls}, {f"{own.path}/downlink"})

    def test_again(self) -> None:
        """A second callback replaces the first, add=True adds one; unsubscribe ends all of them, with that transform."""
        stream, first, second, third, last = self.stream(), Record(), Record(), Record(), Record()
        stream.subscribe(first)
        stream.subscribe(second)
        stream.subscribe(third, add=True)
        stream.insert(1)
        self.eventually(lambda: second.values == third.values == [1])
        stream.unsubscribe("if last")
        stream.unsubscribe(downlink=True)
        stream.insert(2)
        self.eventually(lambda: second.values == third.values == [1, 2])
        stream.unsubscribe(transform="")
        stream.subscribe(last, add=True)
        stream.insert(3)
        self.eventually(lambda: last.values == [3])
        stream._session.close()
        self.assertEqual((first.values, second.values, third.values), ([], [1, 2], [1, 2]))

    def test_transform(self) -> None:
        """Each transform is a subscription of its own."""
        stream, plain, above = self.stream(), Record(), Record()
        stream.subscribe(plain)
        stream.subscribe(above, "if $ > 2")
        for value in (1, 5):
            stream.insert(value)
        self.eventually(lambda: plain.values == [1, 5] and above.values == [5])
        stream.unsubscribe("if $ > 2")
        stream.insert(6)
        self.eventually(lambda: plain.values == [1, 5, 6])
        stream._session.close()

    def test_scripts(self) -> None:
        """A pipe and a `Script` are transforms as their text is; anything else is none."""
        stream = self.stream()
        for transform in (pipe("$ > {x}", x=2), Script("$ > 2"), "$ > 2"):
            with mock.patch.object(stream._session.live, "subscribe") as subscribe:
                stream.subscribe(print, transform)
            with mock.patch.object(stream._session.live, "unsubscribe") as unsubscribe:
                stream.unsubscribe(transform)
            for called in (subscribe.call_args.args[2], unsubscribe.call_args.args[1]):
                with self.subTest(repr(transform)):
                    self.assertEqual((type(called), called), (str, "$ > 2"))
        for use in (lambda: stream.subscribe(print, 5), lambda: stream.unsubscribe(5)):  # type: ignore[arg-type]
            with self.assertRaisesRegex(LocalProtocolError, "transform=5 is no PipeScript"):
                use()
        stream._session.close()

    def test_no_endless_loop(self) -> None:
        """A device that inserts into the downlink it watches is stopped with an error."""
        own = self.stream(downlink=True)
        view: Stream = own._view_of_downlink()
        caught: queue.Queue[Exception] = queue.Queue()

        def echo(path: str, points: list[dict[str, Any]]) -> None:
            view.insert(points[-1]["d"])

        own.subscribe(echo, downlink=True, on_error=caught.put)
        with self.assertLogs("connectordb.live", "ERROR"):
            self.person()(own.path).insert(1)
            self.assertRegex(str(caught.get(timeout=10)), "called again by its own insert")
        self.assertEqual(len(view), 1)
        own._session.close()

    def test_away(self) -> None:
        """With the server away, subscribing says so."""
        peer = Peer()
        peer.close()
        with ConnectorDB("key", url=peer.url, connect=False) as cdb, self.assertRaises(ConnectionFailed):
            cdb("a/b/c").subscribe(print)

    def test_without_waiting(self) -> None:
        """With wait=False it registers at once, server or no server, and connects when it can."""
        stream, record = self.stream(), Record()
        stream.subscribe(record, wait=False)
        self.eventually(lambda: stream.insert(1) or record.values, "a point")
        stream._session.close()
        peer = Peer()
        peer.close()
        with ConnectorDB("key", url=peer.url, connect=False) as cdb:
            cdb("a/b/c").unsubscribe()
            cdb("a/b/c").subscribe(record, wait=False)
            cdb("a/b/c").unsubscribe()
            cdb("a/b/c").unsubscribe("mean", downlink=True)


class Scripted(Case):
    """Before a server that misbehaves."""

    def stream(self, *steps: Step, otherwise: Step | None = None) -> Stream:
        """Return a stream of the device that is logged in."""
        self.peer = Peer(*steps, otherwise=otherwise or Tree("mara/lamp").step)
        self.addCleanup(self.peer.close)
        cdb = ConnectorDB("key", url=self.peer.url, connect=False)
        self.addCleanup(cdb.close)
        cdb._session._login._path = cdb("mara/lamp")._path
        return cdb["light"]

    def methods(self) -> list[str]:
        """Return the verbs of what was sent."""
        return [request.method for request in self.peer.requests]

    def test_what_is_asked(self) -> None:
        """What the server is asked for: a transform alone runs over everything, a limit alone means the first points."""
        stream = self.stream()
        for asked, wanted in (
            ({}, {"i1": "0", "i2": "0"}),
            ({"transform": "if $ > 5"}, {"i1": "0", "i2": "0", "transform": "if $ > 5"}),
            ({"transform": pipe("$ > {x}", x=-5)}, {"i1": "0", "i2": "0", "transform": "$ > (-5)"}),
            ({"i1": -2, "transform": Script("if  $")}, {"i1": "-2", "transform": "if($)"}),
            ({"transform": ""}, {"i1": "0", "i2": "0"}),
            ({"limit": 5}, {"t1": "0", "limit": "5"}),
            ({"t2": 1.5, "limit": 5, "transform": "a+b"}, {"t2": "1.5", "limit": "5", "transform": "a+b"}),
            ({"i1": -5, "downlink": True}, {"i1": "-5", "downlink": "true"}),
        ):
            stream(**asked)
            with self.subTest(asked):
                self.assertEqual(self.peer.requests[-1].parameters, wanted)

    def test_found_where_it_was_sent(self) -> None:
        """An insert without an answer that is found in the stream was stored."""

        def stored(request: Received) -> Step:
            return answer(self.peer.requests[0].json)

        stream = self.stream(hang_up(), by_request(stored))
        stream.insert(5)
        self.assertEqual(self.methods(), ["PUT", "GET"])

    def test_unknown(self) -> None:
        """One that is not found there has an unknown outcome, and is not sent again."""
        stream = self.stream(hang_up())
        with self.assertRaisesRegex(OutcomeUnknown, "were not sent again") as caught:
            stream.insert(5)
        self.assertEqual(self.methods(), ["PUT", "GET"])
        stream = self.stream(answer("ok"), hang_up())
        with self.assertRaises(OutcomeUnknown) as caught:
            stream.insert_array([{"t": float(i), "d": i} for i in range(1, 5003)])
        self.assertEqual(caught.exception.stored, 5000)
        self.assertEqual(self.methods(), ["POST", "POST", "GET"])

    def test_one_end(self) -> None:
        """Looking for an insert that got no answer takes no time beyond that of the insert."""
        stream = self.stream(silence())
        with stream._session.chosen(timeout=Timeout(read=300 * MS, total=SOON)), self.assertRaises(OutcomeUnknown):
            stream.insert(5)
        self.assertEqual(self.methods(), ["PUT", "GET"])
        insert, look = (float(request.headers["connectordb-timeout"]) for request in self.peer.requests)
        self.assertLessEqual(look, insert - 300 * MS)

    def test_not_done(self) -> None:
        """What the server did not do, by its own word, is told as that: nobody need look for it."""
        stream = self.stream(otherwise=refuse(503, "ConnectorDB is shutting down"))
        with stream._session.chosen(retry=1), self.assertRaises(ServerError) as caught:
            stream.insert(5)
        self.assertTrue(caught.exception.retryable)
        self.assertEqual(self.methods(), ["PUT"])

    def test_stored_all_the_same(self) -> None:
        """An insert that is stored but was too large to be published is no failure."""
        stream = self.stream(refuse(403, "nats: maximum payload exceeded"))
        with self.assertLogs("connectordb", "WARNING") as logs:
            stream.insert("x" * 5000)
        self.assertIn("too large for subscribers", logs.output[0])

    def test_schema_not_readable(self) -> None:
        """A refusal is told as it is where the schema cannot be looked at."""
        message = "At least one datapoint did not conform to the stream's schema"
        for second in (
            refuse(404, "Can't access this resource."),
            answer({"name": "light", "schema": '{"$ref": "http://x.org"}'}),
            answer({"name": "light"}),
        ):
            stream = self.stream(refuse(403, message), second)
            with self.subTest(second), self.assertRaises(InvalidRequest) as caught:
                stream.insert(5)
            self.assertEqual(caught.exception.message, message)

    def test_empty_downlink(self) -> None:
        """A downlink that never had a point is empty already; of a stream itself no refusal is overlooked."""
        message = "ERR value is not an integer or out of range script: 1a2b, on @user_script:1."
        stream = self.stream(refuse(403, message), refuse(403, message))
        stream._view_of_downlink().delete()
        self.assertEqual(self.peer.requests[-1].parameters, {"downlink": "true"})
        with self.assertRaises(InvalidRequest):
            stream.delete()

    def test_too_large(self) -> None:
        """A value that no request can carry is refused before anything is sent."""
        stream = self.stream()
        with self.assertRaisesRegex(LocalProtocolError, "10,485,760 bytes at most"):
            stream.insert("x" * 11_000_000)
        self.assertEqual(self.peer.requests, [])

    def test_cut_off(self) -> None:
        """Points that stop in the middle are a failure, not a short list."""
        stream = self.stream(otherwise=answer(b'[{"t":1,"d":1},{"t":2,"d":2}'))
        for read in (lambda: stream[:], lambda: stream(), lambda: list(stream), lambda: stream[0]):
            with self.assertRaises(ServerError):
                read()
