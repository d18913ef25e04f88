"""Points on their way: what is refused, and how they are cut."""

from __future__ import annotations

import math
import uuid
from collections import OrderedDict, UserDict
from collections.abc import Iterator
from typing import Any

import numpy
from hypothesis import given
from hypothesis import strategies as st

from connectordb.client.points import batches as module
from connectordb.client.points.batches import Checker, batches, check_size
from connectordb.datapoints import DatapointArray
from connectordb.exceptions import LocalProtocolError
from connectordb.protocol import json_text
from connectordb.protocol.constants import INSERT_BYTES_LIMIT
from connectordb.protocol.doubts import accept
from connectordb.protocol.times import LATE
from tests.support.case import Case
from tests.support.strategies import datapoints, values

NOW = 1.7e9


class _Float(float):
    pass


class _Text(str):
    pass


class _Whole(int):
    pass


class Checked(Case):
    """Each point is looked at before it is sent."""

    def refused(self, *points: Any) -> str:
        """Return what is said of *points*."""
        with self.assertRaises(LocalProtocolError) as caught:
            list(batches(list(points), NOW, accept))
        return str(caught.exception)

    def test_order(self) -> None:
        """A point older than the one before it is told by its number."""
        self.assertIn("datapoint 1 (t=1.0) is older", self.refused({"t": 2, "d": 1}, {"t": 1, "d": 1}))
        self.assertEqual(len(list(batches([{"t": 2, "d": 1}, {"t": 2, "d": 2}], NOW, accept))), 1)

    def test_order_across_batches(self) -> None:
        """The order is looked at across batches too."""
        points = [{"t": i, "d": i} for i in range(1, 5001)] + [{"t": 10, "d": 0}]
        self.assertIn("datapoint 5000 (t=10.0)", self.refused(*points))
        with self.assertRaisesRegex(LocalProtocolError, "datapoint 5000"):
            list(batches(iter(points), NOW, accept))

    def test_values(self) -> None:
        """What is no JSON value is told by the point's number and what is wrong."""
        for value, said in (
            (math.nan, "no NaN"),
            (math.inf, "no infinities"),
            (b"x", "bytes"),
            ({1}, "set"),
            (object(), "object"),
            (uuid.uuid4(), "UUID"),
            (2**70, "64 bits"),
            ({(1, 2): 3}, "text keys"),
        ):
            with self.subTest(value):
                message = self.refused({"t": 1, "d": 0}, {"t": 2, "d": value})
                self.assertIn("datapoint 1", message)
                self.assertIn(said, message)

    def test_times(self) -> None:
        """A time is a finite number."""
        for time in ("now", math.nan, math.inf, True, [1], 10**400):
            with self.subTest(time):
                self.assertIn("datapoint 0 has t=", self.refused({"t": time, "d": 1}))

    def test_derived_types(self) -> None:
        """Times and values of NumPy, and of classes derived from Python's own, go as what they are; so do the points beside them."""
        numbers = numpy.arange(3) / 2
        (sent,) = batches([{"t": t, "d": d} for t, d in zip(numpy.arange(1, 4), numbers, strict=True)], NOW, accept)
        self.assertEqual(sent, [{"t": 1.0, "d": 0.0}, {"t": 2.0, "d": 0.5}, {"t": 3.0, "d": 1.0}])
        (sent,) = batches([{"t": 1, "d": _Text("a")}, {"t": 2, "d": {5: _Whole(7)}}, {"t": 3, "d": "b"}], NOW, accept)
        self.assertEqual([point["d"] for point in sent], ["a", {"5": 7}, "b"])

    def test_doubts(self) -> None:
        """The first doubtful point is told, by its number, wherever it stands and whatever its like."""
        for first, doubtful in (
            ({"t": 1.0, "d": 1}, {"t": 1.7e12, "d": 1}),
            ({"t": 1.0, "d": 1}, {"t": 2.0, "d": 2**53 + 1}),
            ({"t": 1.0, "d": {"a": 1}}, {"t": 2.0, "d": {"a": -(2**60) - 1}}),
            ({"t": 1.0, "d": {"a": 1}}, {"t": 2.0, "d": {"b": [2**53 + 1]}}),
        ):
            with self.subTest(doubtful):
                told: list[str] = []
                sent = list(batches([first] * 6000 + [doubtful] * 2, NOW, told.append))
                self.assertEqual(sum(map(len, sent)), 6002)
                self.assertEqual([each.partition(" has ")[0] for each in told], ["datapoint 6000"])
        told.clear()
        list(batches([{"t": LATE - 1, "d": [2**53, -(2**53), 2**60, 1.7e19]}], NOW, told.append))
        self.assertEqual(told, [])

    def test_no_point(self) -> None:
        """What is no point says what one is."""
        for bad in (5, "x", None, [1, 2]):
            self.assertIn("expected a dict {'t': seconds since 1970, 'd': value}", self.refused(bad))
        self.assertIn("has the key 'data'", self.refused({"t": 1, "data": 5}))

    def test_no_list(self) -> None:
        """What holds no points says what is expected."""
        for bad in (5, "text", b"bytes", {"t": 1, "d": 1}, None):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "is no list of datapoints"):
                list(batches(bad, NOW, accept))  # type: ignore[arg-type]

    def test_left_out(self) -> None:
        """A point without a time gets the present, one without a value null; who wrote it is not sent."""
        sent = list(batches([{"t": 1.0, "d": 1, "o": "a/b"}, {"t": 2}, {"d": 5}, {"t": 0, "d": 6}], NOW, accept))
        self.assertEqual(sent, [[{"t": 1.0, "d": 1}, {"t": 2.0, "d": None}, {"t": NOW, "d": 5}, {"t": NOW, "d": 6}]])


#: What may be among points, and has to be noticed or mended there.
_UNUSUAL = st.sampled_from(
    [
        *(
            {"t": time, "d": 1}
            for time in (0, 0.0, -1.0, 5, True, None, math.nan, math.inf, 2**70, 10**400, "1", 1e300)
        ),
        *(
            {"t": 3e9, "d": value}
            for value in (math.nan, -math.inf, 1e308, 2**64, -(2**63) - 1, "\ud800", uuid.UUID(int=0))
        ),
        *(
            {"t": 3e9, "d": value}
            for value in ([math.nan], {"a": math.inf}, {1: 2}, {"\ud800": 1}, b"x", (1, 2), [], {})
        ),
        *({"t": 3e9}, {"d": 1}, {}, {"t": 3e9, "d": 1, "o": "a/b"}, {"t": 3e9, "d": 1, "x": 2}, {"t": 3e9, "x": 1}),
        *(UserDict(t=3e9, d=1), OrderedDict(t=3e9, d=1), OrderedDict(d=2), {"d": 1, "t": 3e9}, [1, 2], None, 5),
        *(
            {"t": _Float(3e9), "d": 1},
            {"t": 3e9, "d": _Float(1)},
            {"t": 3e9, "d": _Text("x")},
            {"t": 3e9, "d": _Whole(1)},
        ),
    ]
)

_leaves = st.one_of(values, st.sampled_from([math.nan, math.inf, 2**64, "\ud800", uuid.UUID(int=0), _Float(1), b"x"]))

#: Values that have the same shape, for the most part, or a few shapes.
_ALIKE = st.one_of(
    st.fixed_dictionaries({"a": _leaves, "b": st.tuples(_leaves, _leaves)}),
    st.fixed_dictionaries(
        {"a": _leaves, "b": st.lists(st.lists(_leaves, min_size=1, max_size=1), min_size=2, max_size=3)}
    ),
    st.one_of(_leaves, st.lists(_leaves, max_size=2), st.dictionaries(st.sampled_from("ab"), _leaves)),
)


class Alike(Case):
    """Many points are looked at together, and come to the same as one after the other."""

    @given(datapoints(most=6), st.lists(st.tuples(st.integers(0, 6), _UNUSUAL), max_size=3), st.booleans())
    def test_together_or_alone(self, points: list[Any], unusual: list[tuple[int, Any]], lazily: bool) -> None:
        """What is refused, with which words, and what is sent does not depend on it."""
        for place, point in unusual:
            points.insert(place, point)
        self.compare(points, lazily)

    @given(datapoints(value=_ALIKE), st.booleans())
    def test_objects_of_one_shape(self, points: list[Any], lazily: bool) -> None:
        """Nor where values are objects and lists, of one shape or of some."""
        self.compare(points, lazily)

    def test_nested_deeply(self) -> None:
        """A value may be nested as deeply as ever, and no deeper."""
        deep: Any = 1
        for _ in range(json_text.MAX_DEPTH):
            deep = {"a": deep}
        self.compare([{"t": 1.0, "d": deep}, {"t": 2.0, "d": deep}], False)
        self.compare([{"t": 1.0, "d": [deep]}, {"t": 2.0, "d": [deep]}], False)

    def compare(self, points: list[Any], lazily: bool) -> None:
        """Hold what becomes of all of them to what becomes of each."""
        doubts: list[str] = []
        checker = Checker(NOW, doubts.append)
        try:
            wanted: Any = [checker.point(point) for point in points]
        except LocalProtocolError as error:
            wanted = str(error)
        limit, module.DATAPOINT_INSERT_LIMIT = module.DATAPOINT_INSERT_LIMIT, 4
        told: list[str] = []
        try:
            sent: Any = [
                point for batch in batches(iter(points) if lazily else points, NOW, told.append) for point in batch
            ]
        except LocalProtocolError as error:
            sent = str(error)
        finally:
            module.DATAPOINT_INSERT_LIMIT = limit
        self.assertEqual(sent, json_text.loads(json_text.dumps(wanted)))
        self.assertEqual(told, doubts)

    def test_finite_numbers_whose_sum_is_not(self) -> None:
        """Numbers that are too much together are each looked at."""
        points = [{"t": float(i), "d": 1.7e308} for i in range(1, 9)]
        self.assertEqual(list(batches(points, NOW, accept)), [points])

    def test_the_same_object_each_time(self) -> None:
        """An iterator may yield one object with another content each time."""

        def source() -> Iterator[dict[str, Any]]:
            point: dict[str, Any] = {}
            for i in range(1, 4):
                point.update(t=float(i), d=[i])
                yield point

        self.assertEqual(list(batches(source(), NOW, accept)), [[{"t": float(i), "d": [i]} for i in range(1, 4)]])

    def test_flat(self) -> None:
        """It is known whether lists or objects are among the values, which restamping may damage."""
        for value, is_flat in ((1, True), (None, True), ("x", True), (True, True), ([], False), ({}, False)):
            for point in ({"t": 1.0, "d": value}, {"t": 1.0, "d": value, "o": "a/b"}):
                (batch,) = batches([{"t": 0.5, "d": 1}, point], NOW, accept)
                self.assertIs(batch.is_flat, is_flat)


class Cut(Case):
    """What a server takes in one insert."""

    def test_number(self) -> None:
        """At most 5000 points go together."""
        points = [{"t": float(i), "d": i} for i in range(1, 12001)]
        for source in (points, tuple(points), DatapointArray(points), iter(points)):
            cut = list(batches(source, NOW, accept))
            self.assertEqual([len(batch) for batch in cut], [5000, 5000, 2000])
            self.assertEqual([point for batch in cut for point in batch], points)

    def test_bytes(self) -> None:
        """Large values go in smaller batches, a single one alone."""
        points = [{"t": float(i), "d": "x" * 300_000} for i in range(1, 9)]
        cut = list(batches(points, NOW, accept))
        self.assertEqual([point for batch in cut for point in batch], points)
        self.assertTrue(all(len(batch.text) <= INSERT_BYTES_LIMIT for batch in cut))
        self.assertEqual(len(list(batches([{"t": 1, "d": "x" * 3_000_000}], NOW, accept))), 1)

    def test_too_large(self) -> None:
        """A value that no request can carry is refused, whichever way it comes."""
        for source in ([{"t": 1, "d": "x" * 11_000_000}], iter([{"t": 1, "d": "x" * 11_000_000}])):
            with self.assertRaisesRegex(LocalProtocolError, "10,485,760 bytes at most"):
                list(batches(source, NOW, accept))
        check_size(10_000_000)

    def test_nothing(self) -> None:
        """Nothing to insert is no batch."""
        self.assertEqual(list(batches([], NOW, accept)), [])
        self.assertEqual(list(batches(iter([]), NOW, accept)), [])

    def test_lazily(self) -> None:
        """Of an iterator no more is held than a batch."""
        taken = 0

        def source() -> Iterator[dict[str, Any]]:
            nonlocal taken
            for taken in range(1, 20001):
                yield {"t": taken, "d": 0}

        flow = batches(source(), NOW, accept)
        next(flow)
        self.assertEqual(taken, 5000)
        flow.close()  # type: ignore[attr-defined]

    @given(datapoints(), st.booleans())
    def test_nothing_is_lost(self, points: list[dict[str, Any]], lazily: bool) -> None:
        """Cut into pieces and put together again, the points are the same."""
        limit, module.DATAPOINT_INSERT_LIMIT = module.DATAPOINT_INSERT_LIMIT, 3
        try:
            cut = list(batches(iter(points) if lazily else points, NOW, accept))
        finally:
            module.DATAPOINT_INSERT_LIMIT = limit
        self.assertEqual([point for batch in cut for point in batch], points)
