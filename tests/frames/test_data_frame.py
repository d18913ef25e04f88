"""Points as frames of pandas, and back."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.frames import Columns, from_df, side_by_side, to_df
from connectordb.protocol import json_text

from ..support.case import Case
from .cases import POINTS, needs_frames, without_nulls


def points_in(frame: Any, tz: str | None = None) -> list[Any]:
    """Return the points of a frame."""
    return [point for page in from_df(frame, tz, size=3) for point in page]


@needs_frames
class Frames(Case):
    """There and back."""

    @given(POINTS)
    def test_round_trip(self, points: list[dict[str, Any]]) -> None:
        """What was a frame is what it was before, to the last digit of its times."""
        self.assertEqual(points_in(to_df(Columns.of(points))), without_nulls(points))

    @given(POINTS, st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"]))
    def test_zones(self, points: list[dict[str, Any]], zone: str) -> None:
        """In whatever zone a frame has its times, they are the same instants."""
        frame = to_df(Columns.of(points)).tz_convert(zone)
        self.assertEqual(points_in(frame), without_nulls(points))

    @given(st.lists(st.integers(1_767_225_600, 1_798_761_600), max_size=8).map(sorted))
    def test_hours_that_come_twice(self, seconds: list[int]) -> None:
        """Without a zone they are the local ones of the zone that is said, or are refused where nobody can tell."""
        points = [{"t": float(t), "d": None} for t in seconds]
        naive = to_df(Columns.of(points)).tz_convert("Europe/Berlin").tz_localize(None)
        try:
            found = points_in(naive, "Europe/Berlin")
        except LocalProtocolError:
            self.assertTrue(any(1_792_886_400 <= t < 1_792_893_600 for t in seconds))
        else:
            self.assertEqual(found, points)

    def test_what_it_is(self) -> None:
        """Times are an index of instants in UTC, objects a column for each key."""
        frame = to_df(Columns.of([{"t": 1.6e9, "d": {"x": 1, "y": "a"}}, {"t": 1600000000.25, "d": {"x": 2}}]))
        self.assertEqual(list(frame.columns), ["x", "y"])
        self.assertEqual(frame.index[1].to_pydatetime(), datetime(2020, 9, 13, 12, 26, 40, 250000, timezone.utc))
        self.assertEqual(frame["x"].tolist(), [1, 2])
        self.assertEqual(str(to_df(Columns.of([])).index.dtype), "datetime64[ns, UTC]")

    def test_units(self) -> None:
        """Times that a frame does not count in nanoseconds are the same, also those of centuries that have none."""
        import numpy
        import pandas

        for day, t in (("2026-01-01", 1767225600.0), ("9000-01-01", 221845392000.0), ("1600-01-01", -11676096000.0)):
            for unit in ("s", "ms", "us"):
                with self.subTest(day=day, unit=unit):
                    index = pandas.DatetimeIndex(numpy.array([day], f"M8[{unit}]")).tz_localize("UTC")
                    self.assertEqual(points_in(pandas.Series([5], index=index)), [{"t": t, "d": 5}])

    def test_times_that_no_frame_holds(self) -> None:
        """Those of the year 3000 are refused, and the message says what has them."""
        with self.assertRaisesRegex(LocalProtocolError, r"t=32503680000\.0 .*to_numpy"):
            to_df(Columns.of([{"t": 32503680000.0, "d": 1}]))

    def test_scalars(self) -> None:
        """What NumPy has left in objects goes as numbers and lists like others."""
        import numpy
        import pandas

        frame = pandas.DataFrame({"x": [1, 2], "y": [0.5, None]}, index=[1.0, 2.0])
        found = json_text.checked(
            points_in(frame.apply(lambda row: {"a": row.x, "b": [numpy.bool_(row.x > 1), numpy.arange(2)]}, axis=1))
        )
        self.assertEqual(
            [point["d"] for point in found], [{"a": 1, "b": [False, [0, 1]]}, {"a": 2, "b": [True, [0, 1]]}]
        )
        self.assertEqual(type(found[0]["d"]["a"]), float)
        odd = pandas.Series([numpy.int64(3), "x", None, numpy.float32(0.5)], index=[1.0, 2.0, 3.0, 4.0], dtype=object)
        self.assertEqual([json_text.checked(point["d"]) for point in points_in(odd)], [3, "x", None, 0.5])

    def test_other_frames(self) -> None:
        """A series holds values; times may be seconds, or of a zone; without one they are refused unless it is said."""
        import pandas

        self.assertEqual(
            points_in(pandas.Series([1, 2], index=[10.5, 11.0])), [{"t": 10.5, "d": 1}, {"t": 11.0, "d": 2}]
        )
        naive = pandas.DataFrame({"d": [1.5, None]}, index=pandas.to_datetime(["2026-01-01", "2026-01-02"]))
        with self.assertRaisesRegex(LocalProtocolError, "tz='UTC'"):
            points_in(naive)
        self.assertEqual([point["t"] for point in points_in(naive, tz="Europe/Berlin")], [1767222000.0, 1767308400.0])
        self.assertEqual([point["d"] for point in points_in(naive, tz="UTC")], [1.5, None])
        for zone, time, why in (
            ("Europe/Berlin", "2026-10-25 02:30", "Berlin'.*02:30"),
            ("Europe/Berlin", "2026-03-29 02:30", "Berlin'.*02:30"),
            ("nowhere", "2026-03-29 02:30", "tz='nowhere'"),
        ):
            with self.subTest(zone), self.assertRaisesRegex(LocalProtocolError, why):
                points_in(pandas.Series([1], index=pandas.to_datetime([time])), zone)
        for frame, why in (
            ([1], "a list is no frame of pandas"),
            (pandas.DataFrame({"d": [1]}), "set_index"),
            (pandas.DataFrame({"d": [1]}, index=["a"]), "set_index"),
            (pandas.DataFrame({}, index=[1.0]), "without columns"),
            (pandas.DataFrame([[1, 2]], columns=["x", "x"], index=[1.0]), "each once"),
            (pandas.DataFrame({"d": [1]}, index=pandas.DatetimeIndex([None], tz="UTC")), "no time"),
        ):
            with self.subTest(why), self.assertRaisesRegex(LocalProtocolError, why):
                points_in(frame)


@needs_frames
class SideBySide(Case):
    """Several streams in one frame."""

    @given(st.dictionaries(st.sampled_from("abc"), POINTS))
    def test_nothing_is_lost(self, several: dict[str, list[dict[str, Any]]]) -> None:
        """Each stream has its points in its columns, in order of time, whatever the others have, and rows are no more than needed."""
        columns = {name: Columns.of(sorted(points, key=lambda point: point["t"])) for name, points in several.items()}
        frame = side_by_side(columns)
        self.assertTrue(frame.index.is_monotonic_increasing)
        for name, each in columns.items():
            values = each.values if isinstance(each.values, dict) else {None: each.values}
            for key, array in values.items():
                column = frame[name if key is None else f"{name}.{key}"]
                there = [value for value in array.tolist() if value is not None and value == value]
                self.assertEqual([value for value in column.tolist() if value is not None and value == value], there)
        times = [set(enumerated(each.times.tolist())) for each in columns.values()]
        self.assertEqual(len(frame), len(set().union(*times)))

    def test_kinds(self) -> None:
        """Streams with the same times keep their kinds; a stream without points has an empty column."""
        points = [{"t": 1e9, "d": 1}, {"t": 1e9, "d": 2}]
        frame = side_by_side({"a": Columns.of(points), "b": Columns.of(points), "c": Columns.of([])})
        self.assertEqual([str(kind) for kind in frame.dtypes[:2]], ["int64", "int64"])
        self.assertEqual(frame["c"].isna().tolist(), [True, True])


def enumerated(times: list[float]) -> list[tuple[float, int]]:
    """Return each time with how many are equal to it before."""
    return [(t, times[:number].count(t)) for number, t in enumerate(times)]
