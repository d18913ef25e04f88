"""`DatapointArray`."""

from __future__ import annotations

import copy
import json
import math
import pickle
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb import DatapointArray, LocalProtocolError, PipeScriptError
from connectordb.pipescript import Script, pipe
from connectordb.protocol.json_text import as_stored
from tests.support.case import Case
from tests.support.strategies import datapoints, numbers, values

A = [{"t": 1.0, "d": 1}, {"t": 3.0, "d": 3}]
B = [{"t": 0.5, "d": "x"}, {"t": 3.0, "d": "y"}, {"t": 4.0, "d": None, "o": "a/b"}]


class Transforms(Case):
    """A script runs over the points."""

    def test_scripts(self) -> None:
        """Text, a pipe and a `Script` are; the array stays as it was."""
        array = DatapointArray([{"t": t, "d": t * 10} for t in range(5)])
        before = copy.deepcopy(array)
        for script in ("if $ > 20 | sum", pipe("if $ > {limit} | sum", limit=20), Script("if $ > 20 | sum")):
            with self.subTest(script):
                made = array.transform(script)
                self.assertEqual(made, [{"t": 3, "d": 30}, {"t": 4, "d": 70}])
                self.assertIs(type(made), DatapointArray)
                self.assertIs(type(made[0]["d"]), int)
        self.assertEqual(array, before)
        self.assertEqual(DatapointArray().transform("mean"), [])

    def test_odd_points(self) -> None:
        """A point may lack its time or value, and have a sender, which goes."""
        array = DatapointArray([{"d": 5}, {"t": 1.0}, {"t": 2, "d": 6, "o": "a/b"}])
        self.assertEqual(array.transform("$"), [{"t": 0, "d": 5}, {"t": 1, "d": None}, {"t": 2, "d": 6}])

    def test_time_zones(self) -> None:
        """The zone is an argument; a script that has one keeps it, and says it in another."""
        array = DatapointArray([{"t": 0, "d": None}])
        tokyo = Script("dayhour", tz="Asia/Tokyo")
        self.assertEqual(array.transform("dayhour", tz="Asia/Kolkata").d(), [5])
        self.assertEqual(array.transform(tokyo, tz="Asia/Kolkata").d(), [9])
        self.assertEqual(array.transform(pipe("{a} - dayhour", a=tokyo), tz="Asia/Kolkata").d(), [4])

    def test_errors(self) -> None:
        """What is no script, fails, or gives what JSON cannot hold."""
        array = DatapointArray([{"t": 1, "d": "five"}])
        for script, reason in (("if if", "\\^"), ("sum", "five"), ("0/0", "nan")):
            with self.subTest(script), self.assertRaisesRegex(PipeScriptError, reason):
                array.transform(script)
        with self.assertRaisesRegex(LocalProtocolError, "script=5 is no PipeScript"):
            array.transform(5)  # type: ignore[arg-type]

    @given(datapoints())
    def test_nothing_lost(self, points: list[dict[str, Any]]) -> None:
        """The script that does nothing gives equal points, its numbers as a server has them."""
        wanted = [{"t": point["t"], "d": as_stored(point["d"])} for point in points]
        self.assertEqual(DatapointArray(points).transform("$"), wanted)


class Lists(Case):
    """It is a list."""

    def test_list(self) -> None:
        """It behaves as one, and equals one."""
        array = DatapointArray(A)
        self.assertEqual(array, A)
        self.assertIsInstance(array, list)
        array.append({"t": 5, "d": 5})
        self.assertEqual((len(array), array[-1], list(array)[0]), (3, {"t": 5, "d": 5}, A[0]))
        self.assertEqual(DatapointArray(), [])
        self.assertEqual(DatapointArray(point for point in A), A)

    def test_slices(self) -> None:
        """A slice of one is one; so is a copy."""
        array = DatapointArray(A + B)
        for part in (
            array[1:3],
            array[:],
            array[::-1],
            array[:0],
            array.copy(),
            copy.copy(array),
            copy.deepcopy(array),
        ):
            self.assertIs(type(part), DatapointArray)
        self.assertEqual(array[1:3], (A + B)[1:3])
        self.assertEqual(pickle.loads(pickle.dumps(array)), array)
        self.assertIs(type(pickle.loads(pickle.dumps(array))), DatapointArray)

    def test_raw(self) -> None:
        """The plain list is one, and another."""
        array = DatapointArray(A)
        self.assertIs(type(array.raw()), list)
        array.raw().clear()
        self.assertEqual(len(array), 2)

    def test_columns(self) -> None:
        """Times as naive local datetimes, and values; what the wire left out is there."""
        array = DatapointArray([*A, {"d": 5}, {"t": 2.5}])
        self.assertEqual(array.t(), [datetime.fromtimestamp(t) for t in (1.0, 3.0, 0.0, 2.5)])
        self.assertTrue(all(time.tzinfo is None for time in array.t()))
        self.assertEqual(array.d(), [1, 3, 5, None])
        self.assertEqual((array["t"], array["d"]), (array.t(), array.d()))
        with self.assertRaisesRegex(KeyError, "the columns of datapoints are 't' and 'd'"):
            array["x"]

    def test_repr(self) -> None:
        """A short array is shown whole, of a long one both ends."""
        self.assertEqual(repr(DatapointArray(A)), f"DatapointArray({A!r})")
        shown = repr(DatapointArray({"t": float(i), "d": i} for i in range(1_000)))
        self.assertRegex(shown, r"^<DatapointArray of 1000 datapoints: \{'t': 0.0.*…, .*'d': 999\}>$")
        self.assertLess(len(shown), 250)

    def test_str(self) -> None:
        """What is printed is the list, however long, as programs of 0.3.5 print it."""
        many = [{"t": float(i), "d": i} for i in range(1_000)]
        self.assertEqual(str(DatapointArray(many)), str(many))


class Together(Case):
    """Sorting, merging, shifting."""

    def test_sort(self) -> None:
        """In place, stably, by time or by what one likes, and the array is returned."""
        array = DatapointArray(B + A)
        self.assertIs(array.sort(), array)
        self.assertEqual(array.d(), ["x", 1, "y", 3, None])
        self.assertEqual(array.sort(f=lambda point: -point["t"]).d(), [None, "y", 3, 1, "x"])
        self.assertEqual(array.sort(lambda point: str(point["d"])).d(), [1, 3, None, "x", "y"])
        self.assertEqual(DatapointArray([{"t": 1, "d": 1}, {"d": 0}]).sort().d(), [0, 1])

    def test_merge(self) -> None:
        """In place, in order of time; of equal times the array's own come first."""
        array = DatapointArray(A)
        self.assertIs(array.merge(B), array)
        self.assertEqual(array.d(), ["x", 1, 3, "y", None])
        self.assertEqual(array[-1]["o"], "a/b")

    def test_add(self) -> None:
        """A sum with any list is a new array, in order of time."""
        array = DatapointArray(A)
        for both in (array + B, array + DatapointArray(B)):
            self.assertIs(type(both), DatapointArray)
            self.assertEqual(both.d(), ["x", 1, 3, "y", None])
        self.assertEqual((B + array).d(), ["x", 1, "y", 3, None])
        self.assertIs(type(B + array), DatapointArray)
        self.assertEqual(array, A)
        array += B
        self.assertEqual(array.d(), ["x", 1, 3, "y", None])
        for bad in (5, "x", None, {"t": 1}):
            with self.subTest(bad), self.assertRaises(TypeError):
                array + bad  # type: ignore[operator]

    @given(datapoints(), datapoints(), st.randoms())
    def test_merge_keeps_everything(self, one: list[Any], two: list[Any], random: Any) -> None:
        """Merged is sorted, holds all points of both, and as times go does not depend on the order."""
        shuffled = [*two]
        random.shuffle(shuffled)
        merged = DatapointArray(one) + shuffled
        self.assertEqual([p["t"] for p in merged], sorted(p["t"] for p in one + two))
        self.assertEqual(sorted(map(json.dumps, merged)), sorted(map(json.dumps, one + two)))
        self.assertEqual([p["t"] for p in DatapointArray(shuffled) + one], [p["t"] for p in merged])

    def test_tshift(self) -> None:
        """In place; other arrays with the same points keep their times."""
        array = DatapointArray([*A, {"d": 5}])
        part = array[:1]
        self.assertIs(array.tshift(10), array)
        self.assertEqual([point["t"] for point in array], [11, 13, 10])
        self.assertEqual((part[0]["t"], A[0]["t"]), (1.0, 1.0))
        self.assertEqual(array.tshift(-0.5)[0]["t"], 10.5)

    @given(datapoints(value=st.integers(-(10**9), 10**9)))
    def test_numbers(self, points: list[Any]) -> None:
        """Sum and mean of the values."""
        array, listed = DatapointArray(points), [point["d"] for point in points]
        self.assertEqual(array.sum(), sum(listed))
        if listed:
            self.assertEqual(array.mean(), sum(listed) / len(listed))

    def test_mean_of_nothing(self) -> None:
        """There is none, and the sum is 0."""
        self.assertEqual(DatapointArray().sum(), 0)
        with self.assertRaisesRegex(ZeroDivisionError, "has no mean"):
            DatapointArray().mean()


class Files(Case):
    """Written and read."""

    def test_csv(self) -> None:
        """What was written as CSV is read as it was; what is no JSON is refused, and nothing is written."""
        file = self.folder() / "a.csv"
        DatapointArray(B[:2]).to_csv(file)
        self.assertEqual(DatapointArray.from_csv(file), B[:2])
        self.assertIs(type(DatapointArray.from_csv(file)), DatapointArray)
        for t, d in ((1, math.nan), ("x", 1), (math.nan, 1)):
            with self.assertRaises(LocalProtocolError):
                DatapointArray([{"t": t, "d": d}]).to_csv(file)
        self.assertEqual(DatapointArray.from_csv(file), B[:2])

    def test_round(self) -> None:
        """What is written is what is read, added to what is there."""
        file = self.folder() / "points.json"
        DatapointArray(B).writeJSON(file)
        self.assertEqual(json.loads(file.read_text()), B)
        array = DatapointArray(A)
        self.assertIs(array.loadJSON(str(file)), array)
        self.assertEqual(array.d(), ["x", 1, 3, "y", None])

    @given(datapoints(value=st.one_of(values, numbers)))
    def test_any(self, points: list[Any]) -> None:
        """Any values come back."""
        folder = self.folder()
        DatapointArray(points).writeJSON(folder / "data.json")
        self.assertEqual(DatapointArray().loadExport(folder), points)

    def test_left_out(self) -> None:
        """Nulls that the wire leaves out are there."""
        folder = self.folder()
        (folder / "data.json").write_text('[{"t": 2}, {"t": 1, "d": 5, "o": "a/b"}]')
        array = DatapointArray()
        self.assertIs(array.loadExport(str(folder)), array)
        self.assertEqual(array, [{"t": 1, "d": 5, "o": "a/b"}, {"t": 2, "d": None}])

    def test_not_written(self) -> None:
        """A value that JSON cannot carry leaves the file as it was."""
        file = self.folder() / "points.json"
        file.write_text("before")
        for bad in (math.nan, b"x", {1}):
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                DatapointArray([{"t": 1, "d": bad}]).writeJSON(file)
        self.assertEqual(file.read_text(), "before")

    def test_not_read(self) -> None:
        """A file that holds something else leaves the array as it was."""
        file = self.folder() / "points.json"
        for text, said in (
            ("{", "no JSON"),
            ("", "no JSON"),
            ("{}", "no array"),
            ("[5]", "at 0"),
            ('[{"t":1},{"t":"x"}]', "at 1"),
            ('[{"t":true}]', "at 0"),
        ):
            file.write_text(text)
            array = DatapointArray(A)
            with self.subTest(text), self.assertRaisesRegex(LocalProtocolError, said):
                array.loadJSON(file)
            self.assertEqual(array, A)
        with self.assertRaises(FileNotFoundError):
            DatapointArray().loadJSON(file.with_name("nosuch"))
