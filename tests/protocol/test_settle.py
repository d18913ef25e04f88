"""Tests of `connectordb.protocol.settle`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol import json_text
from connectordb.protocol.settle import Outcome, Sent, Settlement, Settling, settle
from tests.support.case import Case

values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2), st.text(max_size=2))
points = st.lists(st.tuples(st.sampled_from([1.0, 2.0, 2.5, 3.0]), values), max_size=8)


def sent(*pairs: tuple[float, Any]) -> list[Sent]:
    return [Sent((t,), value) for t, value in pairs]


def held(*pairs: tuple[float, Any]) -> list[dict[str, Any]]:
    return [{"t": t, "d": value} for t, value in pairs]


class SettleTests(Case):
    """Settling compares what was sent with what the stream's end holds."""

    def test_all_there(self) -> None:
        """A batch that is there, between points of others, was stored."""
        result = settle(sent((1.0, "a"), (2.0, "b")), held((0.5, "x"), (1.0, "a"), (2.0, "b"), (3.0, "y")))
        self.assertEqual(result, Settlement(Outcome.STORED, (0, 1)))

    def test_none_there(self) -> None:
        """A batch of which nothing is there was not stored; if parts could not be read, nobody knows."""
        batch = sent((1.0, "a"))
        self.assertEqual(settle(batch, held((1.0, "b"), (2.0, "a"))).outcome, Outcome.NOT_STORED)
        self.assertEqual(settle(batch, held((1.0, "b")), all_read=False).outcome, Outcome.UNKNOWN)

    def test_some_there(self) -> None:
        """Of a batch that is partly there the positions are told."""
        result = settle(sent((1.0, 1), (2.0, 2), (3.0, 3)), held((2.0, 2)))
        self.assertEqual(result, Settlement(Outcome.PARTLY, (1,)))

    def test_values_as_a_server_keeps_them(self) -> None:
        """Integers come back as floats, huge ones rounded, tuples as lists, a null as a missing value."""
        for value, stored in ((5, 5.0), (2**53 + 1, float(2**53)), ((1, 2), [1.0, 2.0]), ({"a": None}, {"a": None})):
            with self.subTest(value=value):
                self.assertEqual(settle(sent((1.0, value)), held((1.0, stored))).outcome, Outcome.STORED)
        self.assertEqual(settle(sent((1.0, None)), [{"t": 1.0}]).outcome, Outcome.STORED)

    def test_values_that_only_look_alike(self) -> None:
        """True is not 1, and a text is not the number in it."""
        for value, other in ((True, 1), (False, 0), ("1", 1), (None, 0), ([], {}), ([1], 1), ({"a": True}, {"a": 1})):
            with self.subTest(value=value):
                self.assertEqual(settle(sent((1.0, value)), held((1.0, other))).outcome, Outcome.NOT_STORED)

    def test_every_time_counts(self) -> None:
        """A point is found under each time that it was sent with."""
        batch = [Sent((1.0, 1.5), "a")]
        for t in (1.0, 1.5):
            self.assertEqual(settle(batch, held((t, "a"))).outcome, Outcome.STORED)
        self.assertEqual(settle(batch, held((1.2, "a"))).outcome, Outcome.NOT_STORED)

    def test_equal_points_count_one_by_one(self) -> None:
        """Of two equal points one is found if the stream holds one."""
        batch = sent((1.0, "a"), (1.0, "a"))
        self.assertEqual(settle(batch, held((1.0, "a"))), Settlement(Outcome.PARTLY, (0,)))
        self.assertEqual(settle(batch, held((1.0, "a"), (1.0, "a"), (1.0, "a"))).outcome, Outcome.STORED)

    @given(points, points, points)
    def test_what_was_stored_is_found(self, before: Any, batch: Any, after: Any) -> None:
        """A batch among any others, as a server would answer it, is found whole."""
        stored = [(t, json_text.as_stored(value)) for t, value in before + batch + after]
        self.assertEqual(settle(sent(*batch), held(*stored)).outcome, Outcome.STORED)

    @given(points, points, st.integers(1, 4))
    def test_pages(self, batch: Any, stored: Any, size: int) -> None:
        """Reading page by page settles the same as reading at once, and finds no more than there is."""
        settling = Settling(sent(*batch))
        for at in range(0, len(stored), size):
            settling.look(held(*stored[at : at + size]))
        result = settle(sent(*batch), held(*stored))
        self.assertEqual(settling.result(), result)
        self.assertEqual(settling.complete, result.outcome is Outcome.STORED)
        self.assertLessEqual(len(result.found), len(stored))
