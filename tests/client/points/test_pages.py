"""Pages of a stream, and what becomes of them when one cannot be read."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from math import inf
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from connectordb import ConnectionFailed, DatapointArray
from connectordb.client.points.pages import Pages, Points

T = TypeVar("T")


class Source:
    """A stream whose reads fail where they are told to."""

    def __init__(self, length: int, failures: list[bool]) -> None:
        self.points = DatapointArray([{"t": float(number), "d": number} for number in range(length)])
        self.failures = failures
        self.longest = 0

    def read(self, first: int, last: int) -> DatapointArray:
        """Return points, or fail."""
        self._ask()
        self.longest = max(self.longest, last - first)
        return self.points[first:last]

    def span(self, first: int, last: float) -> tuple[int, float]:
        """Return the span, or fail."""
        self._ask()
        return first, last

    def _ask(self) -> None:
        if self.failures and self.failures.pop():
            raise ConnectionFailed("away")


def taken(iterator: Iterator[T]) -> list[T]:
    """Return all that an iterator yields, asking it again after each failure."""
    got: list[T] = []
    while True:
        try:
            for one in iterator:
                got.append(one)
            return got
        except ConnectionFailed:
            continue


class Going(unittest.TestCase):
    """On after a failure."""

    @given(
        length=st.integers(0, 30),
        failures=st.lists(st.booleans(), max_size=30),
        size=st.integers(1, 10),
        first=st.integers(0, 30),
        last=st.integers(0, 30) | st.none(),
    )
    def test_every_point_once(self, length: int, failures: list[bool], size: int, first: int, last: int | None) -> None:
        """Whatever fails, each point comes once, in order, and no page is longer than it may be; an end is found, or known."""
        end = inf if last is None else min(last, length)
        expected = list(range(length))[first : None if last is None else last]
        for number in range(2):
            source = Source(length, list(failures))
            pages = Pages(source.read, size, lambda source=source: source.span(first, end))  # type: ignore[misc]
            if number:
                got = [point for page in taken(pages) for point in page]
                self.assertGreaterEqual(pages.index or 0, first)
            else:
                got = taken(Points(pages))
            self.assertEqual([point["d"] for point in got], expected)
            self.assertLessEqual(source.longest, size)
            self.assertEqual(taken(pages), [], "it has ended, and stays so")

    def test_index(self) -> None:
        """It tells where the next page begins, which is the one that failed."""
        source = Source(10, [True, False, False, True])
        pages = Pages(source.read, 4, lambda: source.span(1, 10))
        with self.assertRaises(ConnectionFailed):
            next(pages)
        self.assertIsNone(pages.index)
        self.assertEqual((len(next(pages)), pages.index), (4, 5))
        with self.assertRaises(ConnectionFailed):
            next(pages)
        self.assertEqual((pages.index, next(pages).d(), pages.index), (5, [5, 6, 7, 8], 9))
