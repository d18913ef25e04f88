"""What servers take although hardly anybody means it."""

from __future__ import annotations

import math
import warnings

from hypothesis import example, given

from connectordb import DatapointWarning, LocalProtocolError
from connectordb.protocol import doubts, json_text
from connectordb.protocol.doubts import Once, of_time, of_value, refuse, warn
from connectordb.protocol.times import LATE
from tests.support.case import Case
from tests.support.strategies import values


class Doubts(Case):
    """Times in no calendar, and integers that are no floats."""

    def test_times(self) -> None:
        """What the number would mean in another unit is told."""
        for t, told in (
            (1767225600000.0, "milliseconds (of 2026-01-01)"),
            (1767225600000000.0, "microseconds (of 2026-01-01)"),
            (1.7672256e18, "nanoseconds (of 2026-01-01)"),
            (LATE, "milliseconds (of 1978-01-11)"),
            (1e300, "another unit"),
        ):
            with self.subTest(t):
                self.assertIn(f"these may be {told}", of_time(t))
        for t in (-1e300, -1, 0, 1.7e9, 253_402_300_799, math.nextafter(LATE, 0)):
            self.assertEqual(of_time(t), "")

    def test_values(self) -> None:
        """The first integer is told, wherever it stands."""
        self.assertIn("9007199254740993, which a server keeps as 9007199254740992:", of_value({"a": [1, 2**53 + 1]}))
        for value in (None, True, 1.5, 2**53, -(2**63), 2**60, "9" * 20, [], {}, [{"a": 1}], 10**18):
            self.assertEqual(of_value(value), "")

    @given(values)
    @example(2**64 - 1)
    @example([-(2**53) - 1])
    def test_what_changes(self, value: object) -> None:
        """A value is doubtful just if it is another one when its numbers are floats."""
        self.assertEqual(bool(of_value(value)), json_text.as_stored(value) != value, value)


class Telling(Case):
    """What is done about them."""

    def test_warn(self) -> None:
        """The warning is of the line that called, which is not ours, and can be made an error."""
        with self.assertWarnsRegex(DatapointWarning, "x has y") as caught:
            warn("x has y")
        self.assertEqual(caught.filename, __file__)
        with warnings.catch_warnings():
            warnings.simplefilter("error", DatapointWarning)
            with self.assertRaises(DatapointWarning):
                warn("x")

    def test_each_line(self) -> None:
        """Each line is told of once, whatever the text, and no more is kept of it; who asks for all of them is told of all."""
        for action, told in (("default", 1), ("always", 5), ("ignore", 0), ("default", 1)):
            with self.subTest(action), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter(action, DatapointWarning)
                for number in range(5):
                    warn(f"datapoint {number}")
                self.assertEqual(
                    [str(each.message) for each in caught], [f"datapoint {number}" for number in range(told)]
                )
        place, kept = next(
            (place, kept) for place, kept in doubts._told.items() if place[0] == __file__ and len(kept) > 1
        )
        self.assertEqual(len(kept), 2)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default", DatapointWarning)
            for number in range(2):
                exec(compile(f"warn('typed {number}')", "<stdin>", "single"), {"warn": warn, "__name__": "__main__"})
        self.assertEqual(len(caught), 2)

    def test_refuse(self) -> None:
        """Where it is refused, it is told what takes it."""
        with self.assertRaisesRegex(LocalProtocolError, r"x has y\. If it is meant, insert_array\(\) takes it"):
            refuse("x has y")

    def test_refuse_of_text(self) -> None:
        """Of a time in another unit it is told how that is read."""
        for t, told in ((1767225600000.0, "unit='ms' reads it so"), (1.7672256e18, "unit='ns' reads it so")):
            with self.assertRaisesRegex(LocalProtocolError, rf"\. {told}\. If it is meant"):
                doubts.refuse_of_text(of_time(t))
        for doubt in (of_time(1e300), of_value(2**53 + 1)):
            with self.assertRaisesRegex(
                LocalProtocolError, r"\. If it is meant, insert_array\(\) takes it$"
            ) as refused:
                doubts.refuse_of_text(doubt)
            self.assertNotIn("unit=", str(refused.exception))

    def test_once(self) -> None:
        """Only the first is told."""
        told: list[str] = []
        tell = Once(told.append)
        tell("a")
        tell("b")
        self.assertEqual(told, ["a"])
