"""Tests of `connectordb.live.following.cursor`."""

from __future__ import annotations

import unittest
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connectordb.live.following import cursor as module
from connectordb.live.following.cursor import Cursor, Fetch, Hand, Moved, Skip
from connectordb.protocol.points import Datapoint


def points(first: int, after: int) -> list[Datapoint]:
    """Return the points of a stream where each says where it stands."""
    return [{"t": 100.0 + number, "d": number} for number in range(first, after)]


class CursorMachine(RuleBasedStateMachine):
    """
    A stream that grows, a server that tells some of it and loses some, reads that see what is there or fail.

    Whatever comes in which order: what is handed on is the stream from the start on, each point once, in order; and once nothing
    is left to do, all of it.
    """

    @initialize(length=st.integers(0, 5), first=st.integers(0, 5), indexed=st.booleans())
    def begin(self, length: int, first: int, indexed: bool) -> None:
        """Begin somewhere in a stream."""
        self.indexed = indexed
        self.length = length
        self.told = length
        self.cursor = Cursor()
        self.first = min(first, length)
        self.cursor.start(self.first, length)
        self.handed: list[Any] = []
        self.reading: Fetch | None = None
        self.knows = True  # whether the cursor was told of everything in some way

    @rule(number=st.integers(1, 4), is_told=st.booleans())
    def insert(self, number: int, is_told: bool) -> None:
        """Points are stored, and told of, or lost on their way."""
        first, self.length = self.length, self.length + number
        if not is_told:
            self.knows = False
        elif self.indexed:
            self.cursor.told(first, points(first, self.length), number)
            self.knows = True  # what is missing before them shows
        else:
            self.cursor.signal(number)
            self.knows = True

    @rule()
    def connect(self) -> None:
        """The connection is made anew: the length is told, and the end of what was handed on is doubted."""
        self.cursor.head(self.length)
        self.cursor.doubt()
        self.knows = True

    @rule(most=st.integers(1, 4))
    def step(self, most: int) -> None:
        """Do the next thing, or begin to read."""
        if self.reading is None:
            done = self.cursor.step(most)
            if isinstance(done, Hand):
                self.take(done)
            elif isinstance(done, Fetch):
                self.reading, self.then = done, self.length
            elif done is None and self.knows:
                assert self.cursor.next == self.length, (self.cursor.next, self.length)

    @rule(fails=st.booleans(), is_old=st.booleans())
    def read(self, fails: bool, is_old: bool) -> None:
        """The read ends, long after it was begun, and shows the stream as it was then or as it is now; or fails."""
        fetch, self.reading = self.reading, None
        if fetch is not None and not fails:
            length = self.then if is_old else self.length
            done = self.cursor.fetched(fetch, points(fetch.i1, min(fetch.after, length)))
            assert not isinstance(done, Moved)
            if done is not None:
                self.take(done)

    def take(self, hand: Hand) -> None:
        """Take what is handed on."""
        assert hand.first == self.first + len(self.handed)
        self.handed += [point["d"] for point in hand.points]

    @invariant()
    def each_once_in_order(self) -> None:
        """What was handed on is the stream from the start on, and nothing was left out."""
        if hasattr(self, "handed"):
            assert self.handed == list(range(self.first, self.first + len(self.handed)))
            assert self.cursor.missed == 0

    def teardown(self) -> None:
        """Once it is connected again and nothing is left to do, all was handed on."""
        if hasattr(self, "handed"):
            self.connect()
            self.read(False, False)
            for _ in range(200):
                self.step(4)
                self.read(False, False)
            assert len(self.handed) == self.length - self.first
            assert self.cursor.lag <= self.length


class FewAreKept(CursorMachine):
    """The same where hardly any point is kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.few = mock.patch.object(module, "KEPT_POINTS", 3)
        self.few.start()

    def teardown(self) -> None:
        """Put things back."""
        super().teardown()
        self.few.stop()


CursorTests = CursorMachine.TestCase
FewAreKeptTests = FewAreKept.TestCase
for case in (CursorTests, FewAreKeptTests):
    case.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


class Cases(unittest.TestCase):
    """What there is beside that."""

    def setUp(self) -> None:
        self.cursor = Cursor()
        self.cursor.start(5, 5)

    def drain(self, stream: list[Datapoint]) -> list[Any]:
        """Return what is handed on until nothing is left to do."""
        handed: list[Any] = []
        while (step := self.cursor.step()) is not None:
            if isinstance(step, Fetch):
                done = self.cursor.fetched(step, stream[step.i1 : step.after])
                if isinstance(done, Moved):
                    return [*handed, "moved"]
                step = done  # type: ignore[assignment]
            elif isinstance(step, Skip):
                self.cursor.skipped(len(stream))
                continue
            handed += [point["d"] for point in step.points] if step else []
        return handed

    def test_several_as_one(self) -> None:
        """Messages that wait are handed on as one batch, up to its size; one that is larger in parts."""
        for number in range(5, 9):
            self.cursor.told(number, points(number, number + 1), 10)
        self.cursor.told(9, points(9, 20), 10)
        sizes = []
        while (step := self.cursor.step(6)) is not None:
            assert isinstance(step, Hand)
            sizes.append(len(step.points))
        self.assertEqual(sizes, [6, 6, 3])

    def test_another_stream(self) -> None:
        """If the point before the cursor is another one, or none, the stream is not the same."""
        for stream in (points(0, 3), [{"t": 1.0, "d": 0}] * 9, []):
            with self.subTest(length=len(stream)):
                self.cursor.start(5, 5, last_t=104.0)
                self.cursor.doubt()
                self.assertEqual(self.drain(stream), ["moved"])
        self.cursor.start(5, 5, last_t=104.0)
        self.cursor.doubt()
        self.assertEqual(self.drain(points(0, 7)), [5, 6])

    def test_another_stream_before_the_first_point(self) -> None:
        """Who was handed nothing yet knows the stream by the point before the one where he begins; behind the end he knows none."""
        self.cursor.signal()
        self.assertEqual(self.drain(points(0, 5)), [])
        self.cursor.doubt()
        self.assertEqual(self.drain([{"t": 1.0, "d": 0}] * 9), ["moved"])
        self.cursor.start(5, 3)
        for length in (3, 5, 7):
            self.cursor.signal()
            self.assertEqual(self.drain(points(0, length)), [] if length < 6 else [5, 6])

    def test_kept_over_a_restore(self) -> None:
        """What was told before a connection was lost is read again after it: it may be gone."""
        self.cursor.start(5, 5, last_t=104.0)
        self.cursor.told(5, points(5, 10), 1)
        self.cursor.doubt()
        restored = [*points(0, 7), *({"t": 200.0 + number, "d": f"new {number}"} for number in range(5))]
        self.assertEqual(self.drain(restored), [5, 6, "new 0", "new 1", "new 2", "new 3", "new 4"])

    def test_told_behind_a_gap_meanwhile(self) -> None:
        """A short answer to a read says nothing of a gap that came after it was asked for."""
        step = self.cursor.step() or self.cursor.signal() or self.cursor.step()
        assert isinstance(step, Fetch)
        self.cursor.told(50, points(50, 51), 1)
        done = self.cursor.fetched(step, points(step.i1, 7))
        assert isinstance(done, Hand)
        self.assertEqual((self.cursor.missed, self.drain(points(0, 51))), (0, list(range(7, 51))))

    def test_too_many(self) -> None:
        """Beyond what is kept: fetched again, all but the newest left out and counted, or noted for who wants an end."""
        with mock.patch.object(module, "KEPT_POINTS", 10):
            for overflow, handed in (
                ("catch_up", list(range(5, 100))),
                ("latest", [95, 96, 97, 98, 99]),
                ("raise", list(range(5, 100))),
            ):
                with self.subTest(overflow):
                    self.cursor = Cursor(overflow)  # type: ignore[arg-type]
                    self.cursor.start(5, 5)
                    for number in range(5, 100, 5):
                        self.cursor.told(number, points(number, number + 5), 1)
                    self.assertEqual(self.cursor.lag, len(handed))
                    got = self.drain(points(0, 100))
                    self.assertEqual(got[-5:], handed[-5:])
                    self.assertEqual((self.cursor.missed + len(got), self.cursor.overflowed), (95, overflow == "raise"))

    def test_too_many_bytes(self) -> None:
        """A few large messages are too many as well; one alone never is."""
        self.cursor.told(5, points(5, 6), module.KEPT_BYTES * 2)
        self.assertIsInstance(self.cursor.step(), Hand)
        for number in range(6, 9):
            self.cursor.told(number, points(number, number + 1), module.KEPT_BYTES // 2)
        self.assertIsInstance(self.cursor.step(), Fetch)

    def test_latest_of_signals(self) -> None:
        """Where no indices are told, the server is asked for the end."""
        self.cursor = Cursor("latest")
        self.cursor.start(5, 5)
        self.cursor.signal(module.KEPT_POINTS + 1)
        self.assertEqual(self.cursor.step(), Skip())
        self.cursor.skipped(1000)
        self.assertEqual((self.cursor.next, self.cursor.missed), (999, 994))

    def test_cannot_be_read(self) -> None:
        """What was told of later, with something before it that reads do not show: that is passed over, and counted."""
        self.cursor.told(8, points(8, 9), 1)
        step = self.cursor.step()
        assert isinstance(step, Fetch)
        self.assertEqual((step.first, step.after), (5, 8))
        done = self.cursor.fetched(step, points(step.i1, 6))
        assert isinstance(done, Hand)
        self.assertEqual((done.first, len(done.points), self.cursor.missed), (5, 1, 2))
        self.assertEqual(self.drain([]), [8])

    def test_not_begun(self) -> None:
        """Before it is known where to begin there is nothing to do, whatever is told."""
        cursor = Cursor()
        cursor.told(3, points(3, 4), 1)
        cursor.signal()
        self.assertEqual((cursor.step(), cursor.lag), (None, 0))
