"""JSON text, the same with and without orjson."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import time
import unittest
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from unittest import mock

import numpy
from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.protocol import json_text

from ..support.strategies import values


@contextmanager
def standard_library() -> Iterator[None]:
    """Run as if orjson were not installed."""
    with mock.patch.object(json_text, "_orjson", lambda: None):
        yield


class Color(enum.Enum):
    """Not a JSON value."""

    RED = "red"


class Level(enum.IntEnum):
    """An int, and so a JSON value."""

    HIGH = 3


class Mood(str, enum.Enum):
    """Text that is called otherwise than it reads."""

    GOOD = "good"


class Place(NamedTuple):
    """A tuple, and so an array."""

    x: float
    y: float


class Celsius(float):
    """A number with a class of its own."""


@dataclasses.dataclass
class Reading:
    """Not a JSON value."""

    d: float


class BothLibraries(unittest.TestCase):
    """What is valid, and what it reads as, does not depend on the library."""

    @given(values)
    def test_reads_back(self, value: Any) -> None:
        """A value that is accepted reads back the same, whoever wrote it and whoever reads."""
        json_text.checked(value)
        fast = json_text.dumps(value)
        with standard_library():
            plain = json_text.dumps(value)
            self.assertEqual(json_text.loads(fast), value)
        self.assertEqual(json_text.loads(plain), value)
        self.assertEqual(json.loads(plain), value)

    @given(st.one_of(st.text(max_size=30), st.from_regex(r"[\[\]{}\",:0-9eE+.truefalsn\\ -]{0,25}", fullmatch=True)))
    def test_any_text(self, text: str) -> None:
        """Both read any text alike, or both refuse it with a ValueError."""

        def read() -> Any:
            try:
                return json_text.loads(text.encode("utf-8", "surrogatepass"))
            except ValueError:
                return ValueError

        fast = read()
        with standard_library():
            self.assertEqual(repr(read()), repr(fast))

    def test_numbers_at_the_edges(self) -> None:
        """Integers beyond 64 bits become floats, and numbers beyond a float are refused."""

        def read(text: str) -> Any:
            try:
                value = json_text.loads(text)
                return type(value), value
            except ValueError:
                return "refused"

        for (
            text
        ) in "18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809 1e309 -1e400".split():
            with self.subTest(text):
                fast = read(text)
                with standard_library():
                    self.assertEqual(read(text), fast)
        for text in ("NaN", "Infinity", "-Infinity", "1" + "0" * 400, "[" * 5000):
            with self.subTest(text[:20]):
                self.assertEqual(read(text), "refused")
                with standard_library():
                    self.assertEqual(read(text), "refused")

    def test_bytes_that_are_no_utf_8(self) -> None:
        """Bytes in another encoding are refused by both."""
        for text in (b'"\xff"', "\ufeff1".encode(), '"a"'.encode("utf-16")):
            with self.subTest(text):
                self.assertRaises(ValueError, json_text.loads, text)
                with standard_library():
                    self.assertRaises(ValueError, json_text.loads, text)


class Accepting(unittest.TestCase):
    """What JSON cannot carry is refused at the door, and the message says which part."""

    def test_refusals(self) -> None:
        """No value that JSON lacks gets through, wherever it stands."""
        deep: Any = 1
        for _ in range(json_text.MAX_DEPTH + 1):
            deep = [deep]
        for value, words in (
            (math.nan, "no NaN"),
            (math.inf, "no infinities"),
            ([1, {"a": -math.inf}], r"at \[1\]\['a'\]"),
            (2**64, "64 bits"),
            (-(2**63) - 1, "64 bits"),
            (10**5000, "64 bits"),
            (b"bytes", "bytes"),
            ({1, 2}, "set"),
            (object(), "object"),
            (uuid.uuid4(), "UUID"),
            (datetime.now(), "datetime"),
            (Color.RED, "Color"),
            (Reading(1.0), "Reading"),
            (Decimal(1), "Decimal"),
            ({(1, 2): 3}, "text keys"),
            ({math.nan: 1}, "no NaN"),
            ({1: 2, "1": 3}, "two are '1'"),
            ({b"a": 2}, "a key"),
            (numpy.float64("nan"), "no NaN"),
            (numpy.datetime64("2026-01-01"), "datetime64"),
            (numpy.datetime64("2026-01-01", "ns"), "datetime64"),
            (numpy.array([5], "m8[ns]"), "ndarray"),
            (numpy.array([(1, 0.5)], [("a", "i4"), ("b", "f8")])[0], "void"),
            (numpy.longdouble(1), "longdouble"),
            (numpy.complex64(1), "complex"),
            (numpy.array([1, object()]), r"at \[1\]"),
            ("\ud800", "UTF-8"),
            ({"\ud800": 1}, "UTF-8"),
            (deep, "levels deep"),
            (1j, "complex"),
        ):
            with self.subTest(words, kind=type(value)), self.assertRaisesRegex(LocalProtocolError, words):
                json_text.checked(value)

    def test_a_value_within_itself(self) -> None:
        """A list that holds itself is refused, not followed for ever."""
        loop: list[Any] = []
        loop.append(loop)
        self.assertRaises(LocalProtocolError, json_text.checked, loop)

    def test_derived_types(self) -> None:
        """Numbers and text of derived types, of NumPy and of enums are what they are; keys are text as the standard library writes them."""
        for value in (
            Level.HIGH,
            Mood.GOOD,
            Celsius(1.5),
            Place(1.5, 2.5),
            time.gmtime(0),
            Counter("aab"),
            defaultdict(list, {"a": [Celsius(2.5)]}),
            [Celsius(0.1), {"a": (Level.HIGH, Mood.GOOD)}],
            {2: 2, None: 3, True: 4, 1.5: 5, Celsius(2.5): 6, Level.HIGH: 7},
            numpy.float64(0.1),
            numpy.str_("ä"),
        ):
            with self.subTest(value):
                plain = json_text.checked(value)
                self.assertEqual(json.loads(json.dumps(value)), json_text.loads(json_text.dumps(plain)))
                with standard_library():
                    self.assertEqual(json.loads(json.dumps(value)), json_text.loads(json_text.dumps(plain)))

    def test_numpy(self) -> None:
        """What NumPy has for numbers becomes Python's, which the standard library would refuse."""
        for value, meant in (
            (numpy.int64(5), 5),
            (numpy.float32(0.5), 0.5),
            (numpy.bool_(True), True),
            ({"a": numpy.arange(3)}, {"a": [0, 1, 2]}),
            (numpy.zeros((2, 1)), [[0.0], [0.0]]),
        ):
            with self.subTest(kind=type(value)):
                self.assertEqual(repr(json_text.checked(value)), repr(meant))

    @given(values)
    def test_what_is_plain_stays(self, value: Any) -> None:
        """A value of Python's own types is not copied, and so costs nothing."""
        self.assertIs(json_text.checked(value), value)

    def test_accepted(self) -> None:
        """Everything that JSON has is accepted, tuples as lists."""
        for value in (None, True, 0, -(2**63), 2**64 - 1, 1e308, "ä", [], {}, (1, 2), {"a": [{"b": None}]}):
            with self.subTest(value):
                json_text.checked(value)
        self.assertEqual(json_text.loads(json_text.dumps((1, "ä"))), [1, "ä"])


class Stored(unittest.TestCase):
    """Two values are compared as a server keeps them."""

    def test_numbers_are_floats(self) -> None:
        """An integer is the float nearest to it; True is no number; a tuple is a list."""
        self.assertEqual(
            json_text.as_stored({"a": (2**53 + 1, True, None, "x")}), {"a": [float(2**53), True, None, "x"]}
        )
        self.assertIs(json_text.as_stored(True), True)
        self.assertIsInstance(json_text.as_stored(5), float)

    def test_comparable(self) -> None:
        """What is the same once stored compares and hashes alike; True is not 1, a list no object."""
        same = json_text.comparable({"a": (1, True, None), "b": {}})
        self.assertEqual(same, json_text.comparable({"b": {}, "a": [1.0, True, None]}))
        self.assertEqual(hash(same), hash(json_text.comparable({"b": {}, "a": [1.0, True, None]})))
        for one, other in (
            (True, 1),
            (False, 0),
            ([], {}),
            ("1", 1),
            (None, 0),
            ([1], [True]),
            ({"a": 1}, {"a": True}),
        ):
            with self.subTest(one=one, other=other):
                self.assertNotEqual(json_text.comparable(one), json_text.comparable(other))
