"""The points of a series."""

from __future__ import annotations

import bisect
import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connectordb.exceptions import StorageError
from connectordb.protocol.json_text import as_stored
from connectordb.server.storage import Inserted, Older, Reader, Series, SQLiteStorage
from connectordb.server.storage.chunks import OPEN_BYTES
from connectordb.server.storage.points import Points
from connectordb.server.upkeep.check import check_file

from ...support.case import SOON
from .trees import StorageCase, plant, stream

steps = st.sampled_from([0.0, 0.0, 1.0, 0.5, 0.25])
values = st.none() | st.integers(-5, 5) | st.sampled_from([2.5, "text", [{"a": 1}, {"t": 2}], "x" * 3000, {"b": None}])
Point = dict[str, Any]


def everything(reader: Reader, series: Series, budget: int = 1 << 16) -> list[Point]:
    """Return all points of a series, read piece by piece."""
    length, at = reader.length(series), 0
    texts = []
    while at < length:
        text, after = reader.text(series, at, length, budget)
        assert after > at, "a read must come on"
        texts.append(text)
        at = after
    found = json.loads(b"[%b]" % b",".join(texts))
    assert isinstance(found, list)
    return found


def chunks_of(reader: Reader) -> list[tuple[int, ...]]:
    """Return number, and whether it is packed, of every chunk there is."""
    return reader._connection.execute("SELECT number, packed FROM chunks ORDER BY id").fetchall()  # type: ignore[attr-defined,no-any-return]


class Inserting(StorageCase):
    """Points are appended, in order of time, without holes."""

    def setUp(self) -> None:
        super().setUp()
        self.series = self.write(plant)

    def insert(self, *points: Point, restamp: bool = False) -> Inserted:
        """Insert points."""
        return self.write(lambda writer: writer.insert(self.series, points, restamp))

    def at(self, *times: float, restamp: bool = False) -> list[float]:
        """Insert points at these times; return those that they got."""
        return self.insert(*({"t": t, "d": t} for t in times), restamp=restamp).times

    def test_never_written(self) -> None:
        """A series that never had a point is empty in every respect."""
        self.assertEqual(
            self.read(
                lambda reader: (
                    reader.length(self.series),
                    reader.newest(self.series),
                    reader.index_after(self.series, 5),
                    reader.text(self.series, 0, 10, 1000),
                )
            ),
            (0, None, 0, (b"", 0)),
        )
        self.assertEqual(self.insert(), Inserted(0, [], b""))

    def test_older(self) -> None:
        """An insert whose first point is older than the newest stored is refused whole; an equal time is none."""
        self.at(5, 6)
        with self.assertRaisesRegex(Older, "5.0.*6.0"):
            self.at(5, 9)
        self.assertEqual(self.at(6, 6), [6, 6])
        self.assertEqual(self.read(lambda reader: reader.length(self.series)), 4)

    def test_negative(self) -> None:
        """An empty series counts as having a point at 0."""
        with self.assertRaises(Older):
            self.at(-1)
        self.assertEqual(self.at(-2, -1, 3, restamp=True), [0.00001, 0.00001, 3])

    def test_restamping(self) -> None:
        """Leading points that are not later move to the newest time, plus a little if that is integral."""
        self.at(5)
        self.assertEqual(self.at(3, 5, 5.000001, 6, restamp=True), [5.00001, 5.00001, 5.00001, 6])
        self.assertEqual(self.at(1, 7, restamp=True), [6.00001, 7])
        self.assertEqual(self.at(7.5), [7.5])
        self.assertEqual(self.at(7, restamp=True), [7.5])
        self.assertEqual(self.at(7.5, 8, restamp=True), [7.5, 8], "the first is not older: as it is")

    def test_restamped_values(self) -> None:
        """Restamping leaves values as they are, those too that the original damages."""
        value = {"a": None, "b": {}, "c": [1, None, 3, None], "d": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}
        self.at(5)
        self.insert({"t": 1, "d": value, "o": "a/b"}, restamp=True)
        self.assertEqual(
            self.read(lambda reader: everything(reader, self.series))[1], {"t": 5.00001, "d": value, "o": "a/b"}
        )

    def test_out_of_order(self) -> None:
        """Points that are not in order are a mistake of the caller's, and nothing of them is stored."""
        for times in ((2.0, 1.0), (1.0, float("nan")), (float("nan"),), (float("inf"),)):
            with self.subTest(times=times), self.assertRaises(ValueError):
                self.at(*times, restamp=True)
        self.assertEqual(self.read(lambda reader: reader.length(self.series)), 0)

    def test_packing(self) -> None:
        """All but the last few chunks are packed, however the points came."""
        for count in (1, 249, 1, 1250, 3000, 7):
            first = self.read(lambda reader: reader.length(self.series))
            self.at(*range(first + 1, first + count + 1))
        chunks = self.read(chunks_of)
        self.assertEqual(chunks, [(1000, 1), (1000, 1), (1000, 1), (1000, 1), (250, 0), (250, 0), (8, 0)])
        found = self.read(lambda reader: everything(reader, self.series))
        self.assertEqual(found, [{"t": t, "d": t} for t in range(1, 4509)])

    def test_large_values(self) -> None:
        """Chunks of large values stay small, and a single value may have any size."""
        sizes = [10_000] * 12 + [100_000, 1, 400_000, 400_000] + [9000] * 3
        for start in range(0, len(sizes), 4):
            self.insert(*({"t": 1 + start, "d": "x" * size} for size in sizes[start : start + 4]))
        found = self.read(lambda reader: everything(reader, self.series))
        self.assertEqual([len(point["d"]) for point in found], sizes)
        self.assertLess(max(number for number, _ in self.read(chunks_of)), 12)
        text, after = self.read(lambda reader: reader.text(self.series, 14, 16, 1))
        self.assertEqual(
            (after, len(json.loads(text)["d"])), (15, 400_000), "one point at least, and no more than asked"
        )

    def test_large_values_one_by_one(self) -> None:
        """An open chunk is bounded by its bytes as well, so that an append never rewrites much."""
        for t in range(1, 40):
            self.insert({"t": t, "d": "x" * 3000})
        sizes = self.read(
            lambda reader: reader._connection.execute("SELECT length(data) FROM chunks WHERE NOT packed").fetchall()  # type: ignore[attr-defined]
        )
        self.assertLessEqual(max(size for (size,) in sizes), OPEN_BYTES)
        self.assertEqual(len(self.read(lambda reader: everything(reader, self.series))), 39)

    def test_equal_times(self) -> None:
        """Points of one time are found behind each other, however many chunks they fill."""
        self.at(*[1.0] * 10, *[2.0] * 3000, *[3.0] * 10)
        for t, index in ((0.5, 0), (1, 10), (1.5, 10), (2, 3010), (2.5, 3010), (3, 3020), (4, 3020)):
            with self.subTest(t=t):
                self.assertEqual(self.read(lambda reader, t=t: reader.index_after(self.series, t)), index)

    def test_ranges(self) -> None:
        """Ranges that lie outside give what there is of them."""
        self.at(*range(1, 1301))
        for first, last in ((0, 0), (5, 5), (7, 3), (-5, 2), (1299, 1300), (1300, 1301), (1295, 9999), (9999, 10**13)):
            with self.subTest(first=first, last=last):
                text, after = self.read(lambda reader, a=first, b=last: reader.text(self.series, a, b, 1 << 20))
                expected = list(range(1, 1301))[max(first, 0) : last]
                self.assertEqual([point["d"] for point in json.loads(b"[%b]" % text)], expected)
                self.assertEqual(after, max(first, 0) + len(expected))

    def test_downlink(self) -> None:
        """A stream and its downlink are two sequences; each stream has its own."""
        other = Series(self.write(lambda writer: writer.create_stream(1, stream("other"))).id)
        downlink = Series(self.series.stream_id, downlink=True)
        for count, series in ((300, self.series), (20, downlink), (1, other)):
            points = [{"t": index + 1, "d": count} for index in range(count)]
            self.write(lambda writer, s=series, p=points: writer.insert(s, p, False))
        self.write(lambda writer: writer.clear(self.series))
        beyond = self.read(lambda reader: reader.text(self.series, 2**38, 2**38 + 9, 1000))
        self.assertEqual(beyond, (b"", 2**38), "not those of the next series")
        self.assertEqual(self.read(lambda reader: reader.text(self.series, 2**70, 2**71, 1000))[0], b"")
        lengths = self.read(lambda reader: [reader.length(series) for series in (self.series, downlink, other)])
        self.assertEqual(lengths, [0, 20, 1])
        self.assertEqual(self.at(1), [1], "a cleared series begins anew")

    def test_limits(self) -> None:
        """What the keys cannot number is refused, not stored somewhere else."""
        with self.assertRaisesRegex(StorageError, "streams"):
            self.read(lambda reader: reader.length(Series(2**24)))
        connection = self.read(lambda reader: reader._connection)  # type: ignore[attr-defined]
        with self.assertRaisesRegex(StorageError, "points"):

            class Full(Points):
                def _tail(self, number: int) -> Any:
                    return super()._tail(number) and type("Tail", (), {"length": 2**38})

            self.at(1)
            Full(connection).insert(self.series, [{"t": 1}], False)


class PointsMachine(RuleBasedStateMachine):
    """The storage agrees with Python lists after any sequence of operations."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="connectordb-test-"))
        self.storage = SQLiteStorage(self.folder / "points.db", readers=1)
        self.model: dict[Series, list[Point]] = {}

    @initialize()
    def plant(self) -> None:
        """Have two streams and a downlink."""
        one = self.storage.write(plant).result(SOON)
        two = Series(self.storage.write(lambda writer: writer.create_stream(1, stream("other"))).result(SOON).id)
        self.model = {one: [], Series(one.stream_id, downlink=True): [], two: []}

    @rule(
        which=st.integers(0, 2),
        start=st.floats(-3, 3).map(lambda t: round(t, 1)),
        content=st.lists(st.tuples(steps, values), max_size=6),
        repeat=st.sampled_from([1, 1, 1, 40, 260]),
        restamp=st.booleans(),
    )
    def insert(self, which: int, start: float, content: list[tuple[float, Any]], repeat: int, restamp: bool) -> None:
        """Insert a few or many points, relative to the newest."""
        series = list(self.model)[which]
        model = self.model[series]
        newest = float(model[-1]["t"]) if model else 0.0
        points: list[Point] = []
        t = newest + start
        for step, value in content * repeat if sum(len(str(value)) for _, value in content) < 500 else content:
            t += step
            points.append({"t": t, "d": value, **({"o": "a/b"} if value == 3 else {})})
        future = self.storage.write(lambda writer: writer.insert(series, points, restamp))
        times = [point["t"] for point in points]
        if points and times[0] < newest:
            if not restamp:
                with contextlib.suppress(Older):
                    raise AssertionError(f"stored: {future.result(SOON)}")
                return
            floor = newest + 0.00001 if newest == int(newest) else newest
            end = bisect.bisect_right(times, floor)
            times = [floor] * end + times[end:]
        first = len(model)
        inserted = future.result(SOON)
        text, _ = self.storage.read(lambda reader: reader.text(series, first, first + len(points), 10**9)).result(SOON)
        assert inserted == Inserted(first, times, text)
        for point, t in zip(points, times, strict=True):
            model.append({key: value for key, value in {**point, "t": t}.items() if value is not None})

    @rule(
        which=st.integers(0, 2),
        first=st.floats(0, 1),
        size=st.integers(0, 700),
        budget=st.sampled_from([1, 9999, 1 << 30]),
    )
    def read_by_index(self, which: int, first: float, size: int, budget: int) -> None:
        """A piece of the points is that slice, or its beginning."""
        series = list(self.model)[which]
        begin = int(first * len(self.model[series]))
        text, after = self.storage.read(lambda reader: reader.text(series, begin, begin + size, budget)).result(SOON)
        wanted = self.model[series][begin : begin + size]
        assert bool(text) == (after > begin) == bool(wanted)
        assert after == begin + len(wanted) or (len(text) >= budget and after < begin + len(wanted))
        assert as_stored(json.loads(b"[%b]" % text)) == as_stored(self.model[series][begin:after])

    @rule(which=st.integers(0, 2), index=st.floats(0, 1), aside=st.sampled_from([-0.1, 0.0, 0.1]))
    def read_by_time(self, which: int, index: float, aside: float) -> None:
        """The index behind a time is where bisection puts it."""
        series = list(self.model)[which]
        times = [point["t"] for point in self.model[series]]
        t = times[int(index * (len(times) - 1))] + aside if times else aside
        found = self.storage.read(lambda reader: reader.index_after(series, t)).result(SOON)
        assert found == bisect.bisect_right(times, t)

    @rule(which=st.integers(0, 2))
    def clear(self, which: int) -> None:
        """Remove all points of a series."""
        series = list(self.model)[which]
        self.storage.write(lambda writer: writer.clear(series)).result(SOON)
        self.model[series] = []

    @rule()
    def reopen(self) -> None:
        """Close and open the file."""
        self.storage.close()
        self.storage = SQLiteStorage(self.folder / "points.db", readers=1)

    @invariant()
    def agrees(self) -> None:
        """Length, size and newest are those of the lists; everything reads back, in order."""

        def look(reader: Reader) -> None:
            for series, model in self.model.items():
                assert reader.length(series) == len(model)
                assert reader.newest(series) == (model[-1]["t"] if model else None)
                assert as_stored(everything(reader, series)) == as_stored(model)
                text, _ = reader.text(series, 0, len(model), 1 << 30)
                # the commas between chunks are not counted
                assert len(text) - len(model) <= reader.size(series) <= len(text)

        self.storage.read(look).result(SOON)

    def teardown(self) -> None:
        """Close, find nothing wrong, and remove the file."""
        self.storage.close()
        found: list[str] = []
        check_file(self.folder / "points.db", lambda finding: found.append(str(finding)))
        shutil.rmtree(self.folder)
        # the storage leaves it to those above to give points to existing downlinks only
        assert not [each for each in found if "a downlink, which it does not have" not in each], found


PointsTests = PointsMachine.TestCase
PointsTests.settings = settings(max_examples=40, stateful_step_count=20)
