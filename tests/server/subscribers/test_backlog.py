"""How much waits to be computed."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.handlers import Published
from connectordb.server.storage import Inserted
from connectordb.server.subscribers.backlog import Backlog
from connectordb.server.subscribers.news import News


def news(size: int) -> News:
    """Return an insert whose points are so many bytes."""
    return News(Published("a/b/c", ({"t": 1.0, "d": 1},), Inserted(0, [1.0], b"x" * size)))


class Waiting(unittest.TestCase):
    """Inserts come and go."""

    @given(st.lists(st.tuples(st.integers(0, 4), st.booleans())))
    def test_counts(self, steps: list[tuple[int, bool]]) -> None:
        """Each insert counts once while anybody waits for it, and what is there is never too much but for one alone."""
        inserts = [news(10 * number + 10) for number in range(5)]
        backlog = Backlog(60)
        held: list[int] = []
        for number, comes in steps:
            if comes:
                there = set(held) | {number}
                fits = number in held or not held or sum(10 * each + 10 for each in there) <= 60
                self.assertEqual(backlog.hold(inserts[number]), fits)
                held += [number] if fits else []
            elif number in held:
                held.remove(number)
                backlog.release(inserts[number])
            self.assertEqual(backlog.bytes, sum(10 * each + 10 for each in set(held)))

    def test_points_that_are_not_stored(self) -> None:
        """Count as what is told of them."""
        told = News(Published("a/b/c", ({"t": 1.0, "d": "x" * 100},)))
        self.assertEqual(told.size, len(told.plain))
