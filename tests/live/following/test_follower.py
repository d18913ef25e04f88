"""Tests of `connectordb.live.following.follower`: with the server's part played by hand, and a lane that runs at once or when it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from connectordb.exceptions import (
    ConnectionFailed,
    ConnectorDBError,
    NotFound,
    PermissionDenied,
    PointsMissed,
    TimedOut,
    TooSlow,
)
from connectordb.live.dispatch import Pool
from connectordb.live.downlinks import Claim
from connectordb.live.following import losses as module
from connectordb.live.following import pages
from connectordb.live.following.follower import Follower
from connectordb.live.following.reads import Reads, Seen
from connectordb.live.handing.batch import Batch
from connectordb.live.options import Options
from connectordb.live.remembering.place import Place
from connectordb.protocol import json_text, rest
from connectordb.protocol.paths import Path
from connectordb.protocol.points import Datapoint
from connectordb.protocol.reply import Reply
from connectordb.runtime.backoff import Backoff
from connectordb.runtime.clock import SYSTEM, Deadline
from tests.support.case import MS, SOON, Case

STREAM = Path.parse("mara/lamp/light")


def points(first: int, after: int) -> list[Datapoint]:
    """Return points of which each says where it stands."""
    return [{"t": 100.0 + number, "d": number} for number in range(first, after)]


class FollowerCase(Case):
    """A follower of a stream that is a list here."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("callbacks")
        self.addCleanup(lambda: self.pool.close(Deadline(SOON)))
        self.stored: list[Datapoint] = []
        self.ephemeral = False
        self.trouble: list[ConnectorDBError] = []
        self.handed: list[Any] = []
        self.caught: list[int] = []
        self.places: list[tuple[Place, bool]] = []
        self.reasons: list[str] = []
        self.errors: list[Exception] = []
        self.ended = threading.Event()
        self.again: list[float] = []
        self.asked, self.series = 0, "x"

    def follow(self, by_index: bool = True, path: Path = STREAM, **options: Any) -> Follower:
        """Return a follower; this test is its receiver."""
        self.follower = Follower(
            path,
            Options(**options),
            by_index=by_index,
            lane=self.pool.lane(100),
            reads=Reads(self.call, path),
            receiver=self,
            later=self.later,
            clock=SYSTEM,
            backoff=Backoff(0.01, 0.02),
        )
        return self.follower

    def call(self, request: rest.Request[Any]) -> Any:
        """Answer a read."""
        if self.trouble:
            raise self.trouble.pop(0)
        if not request.parameters:
            return {"ephemeral": self.ephemeral}
        if request.parameters.get("q") == "length":
            return len(self.stored)
        found = self.stored[int(request.parameters["i1"]) : int(request.parameters["i2"])]
        return request.read(Reply(200, json_text.dumps(found)))

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Go on at once."""
        self.again.append(seconds)
        action()

    def hand(self, batch: Batch, claim: Claim | None) -> None:
        """Take points."""
        self.handed += [(batch.first_index, list(batch["d"]), batch.caught_up)]

    def stands_at(self, place: Place, moved: bool) -> None:
        """Note it."""
        self.places.append((place, moved))

    def ask_again(self) -> None:
        """Answer as the server does that is asked."""
        self.asked += 1
        self.follower.began(Seen(len(self.stored), self.series), unread=False)

    def caught_up(self, number: int) -> None:
        """Note it."""
        self.caught.append(number)

    def gone(self, reason: str) -> None:
        """Note it."""
        self.reasons.append(reason)

    def tell(self, error: Exception) -> None:
        """Note it."""
        self.errors.append(error)

    def end(self) -> None:
        """Note it."""
        self.ended.set()

    def values(self) -> list[Any]:
        """Return all values that were handed on."""
        return [value for _, values, _ in self.handed for value in values]


class FollowerTests(FollowerCase):
    """What is handed on."""

    # --- where to begin -----------------------------------------------------------------------------------------------

    def test_since(self) -> None:
        """From now on, from an index, from before the end, and after a time."""
        self.stored = points(0, 8)
        for since, first in ((None, 8), (0, 0), (5, 5), (-3, 5), (-99, 0), (105.0, 6), (0.5, 0), (1e6, 8)):
            with self.subTest(since=since):
                self.handed, self.caught = [], []
                self.follow(since=since).began(Seen(8, "x"), unread=False)
                self.eventually(lambda: self.caught)
                self.assertEqual((self.values(), self.caught), (list(range(first, 8)), [8 - first]))

    def test_live(self) -> None:
        """What is told is handed on as it is; what was not told before it is fetched."""
        follower = self.follow()
        follower.began(Seen(0, "x"), unread=False)
        self.eventually(lambda: self.caught == [0])
        self.stored = points(0, 6)
        follower.told(0, points(0, 2), 1)
        self.eventually(lambda: self.handed == [(0, [0, 1], False)])
        follower.told(4, points(4, 6), 1)
        self.eventually(lambda: self.handed[1:] == [(2, [2, 3], True), (4, [4, 5], False)])
        self.stored = points(0, 9)
        follower.gap(9)
        self.eventually(lambda: self.handed[3:] == [(6, [6, 7, 8], True)])
        self.assertEqual((follower.lag, follower.missed, self.errors), (0, 0, []))

    def test_commands_one_by_one(self) -> None:
        """Of a downlink each command is a batch of its own, however they came."""
        follower = self.follow(path=STREAM.at_downlink(), since=0)
        self.stored = points(0, 3)
        follower.began(Seen(3, "x"), unread=False)
        self.eventually(lambda: self.caught)
        follower.told(3, points(3, 5), 1)
        self.eventually(lambda: len(self.handed) == 5)
        self.assertEqual(
            [(first, values) for first, values, _ in self.handed], [(number, [number]) for number in range(5)]
        )

    def test_since_a_time_to_come(self) -> None:
        """What is not later than the time that was asked for is left out, also where that time was still to come."""
        self.stored = points(0, 3)
        follower = self.follow(since=105.0)
        follower.began(Seen(3, "x"), unread=False)
        self.eventually(lambda: self.caught == [0])
        self.stored = points(0, 8)
        follower.told(3, points(3, 5), 1)
        follower.told(5, points(5, 7), 1)
        follower.gap(8)
        self.eventually(lambda: self.values() == [6, 7])
        self.assertEqual((self.handed[0][0], follower.missed, follower.lag), (6, 0, 0))

    def test_large_points(self) -> None:
        """Of large points few are read at once; and fewer than before, where they do not come in time."""
        self.stored = [{"t": 100.0 + number, "d": "x" * 1000} for number in range(40)]
        with mock.patch.object(pages, "BYTES", 5000), mock.patch.object(pages, "FIRST", 10):
            follower = self.follow(since=0)
            follower.began(Seen(40, "x"), unread=False)
            self.eventually(lambda: self.caught == [40])
            sizes = [len(values) for _, values, _ in self.handed]
            self.assertEqual((sizes[0], sum(sizes)), (10, 40))
            self.assertLessEqual(max(sizes[1:]), 5)
            self.trouble = [TimedOut("slow")]
            follower._later = lambda seconds, action: None
            follower.gap(41)
            self.eventually(lambda: follower._pages.size == 1)

    # --- signals ------------------------------------------------------------------------------------------------------

    def test_signals(self) -> None:
        """Where no indices are told, one read brings whatever has come; what is not there yet is looked for again."""
        follower = self.follow()
        follower.began(Seen(0), unread=True)
        self.eventually(lambda: self.caught == [0])
        self.stored = points(0, 5)
        for _ in range(5):
            self.assertTrue(follower.signal(1))
        self.eventually(lambda: self.values() == [0, 1, 2, 3, 4])
        self.eventually(lambda: follower.lag == 0)
        self.again.clear()
        follower.signal(1)
        self.eventually(lambda: len(self.again) == 2)
        self.stored = points(0, 6)
        follower.look()
        self.eventually(lambda: self.values() == [0, 1, 2, 3, 4, 5])
        self.assertEqual(self.errors, [])

    def test_becomes_ephemeral(self) -> None:
        """A stream that was made ephemeral meanwhile: what came before that was seen is told to be lost, the rest comes."""
        follower = self.follow()
        follower.began(Seen(0), unread=True)
        self.eventually(lambda: self.caught == [0])
        self.ephemeral = True
        follower.signal(3)
        self.eventually(lambda: self.errors)
        self.assertIsInstance(self.errors[0], PointsMissed)
        self.assertEqual(follower.missed, 3)
        self.assertFalse(follower.signal(1), "whoever cannot read it has to be told")
        follower.told(None, points(3, 4), 1)
        self.eventually(lambda: self.handed == [(None, [3], False)])

    def test_without_places(self) -> None:
        """What has no place is handed on as it comes; that a connection was lost is told, as nothing can be fetched."""
        for by_index, ephemeral in ((True, True), (False, False)):
            with self.subTest(by_index=by_index):
                self.handed, self.errors = [], []
                follower = self.follow(by_index)
                follower.began(Seen(0, "x", ephemeral), unread=False)
                follower.told(None, points(0, 2), 1)
                self.eventually(lambda: self.handed == [(None, [0, 1], False)])
                self.assertEqual(self.errors, [])
                follower.disconnected()
                follower.began(Seen(0, "x", ephemeral), unread=False)
                self.eventually(lambda: self.errors)
                self.assertIn("cannot be fetched", str(self.errors[0]))

    def test_lost(self) -> None:
        """Points that nobody can fetch are counted and told."""
        follower = self.follow()
        follower.lost(7)
        self.eventually(lambda: self.errors)
        self.assertEqual((follower.missed, str(self.errors[0])[:25]), (7, "7 points of 'mara/lamp/li"))

    # --- what is not as it was ----------------------------------------------------------------------------------------

    def after_five(self) -> Follower:
        """Return a follower that has handed on five points, and lost its connection."""
        self.stored = points(0, 5)
        follower = self.follow(since=0)
        follower.began(Seen(5, "x"), unread=False)
        self.eventually(lambda: self.caught == [5])
        follower.disconnected()
        return follower

    def test_reconnected(self) -> None:
        """What came meanwhile is fetched, and how much that was is told."""
        follower = self.after_five()
        self.stored = points(0, 9)
        follower.began(Seen(9, "x"), unread=False)
        self.eventually(lambda: self.caught == [5, 4])
        self.assertEqual((self.values(), self.reasons), (list(range(9)), []))

    def test_recreated(self) -> None:
        """A stream made anew is another one: it is told, and begins at its first point."""
        follower = self.after_five()
        self.stored = [{"t": 1.0, "d": "new"}]
        follower.began(Seen(1, "y"), unread=False)
        self.eventually(lambda: self.values()[5:] == ["new"])
        self.assertEqual((self.reasons, self.handed[-1][0]), (["recreated"], 0))

    def test_restored(self) -> None:
        """Indices that went back are told, whether or not new points cover it up; what is later than what was seen comes."""
        for more in (0, 1, 4):
            with self.subTest(more=more):
                self.handed, self.caught, self.reasons = [], [], []
                follower = self.after_five()
                new = [{"t": 200.0 + number, "d": f"new {number}"} for number in range(more)]
                self.stored = [*points(0, 3), *new]
                follower.began(Seen(len(self.stored), "x"), unread=False)
                self.eventually(lambda: len(self.caught) == 2)
                self.assertEqual(self.reasons, ["restored"])
                self.assertEqual(self.values()[5:], [point["d"] for point in new])

    def test_recreated_meanwhile(self) -> None:
        """A read may meet the new stream before the server says that it is another one: it is asked before anything is decided."""
        follower = self.after_five()
        follower.began(Seen(5, "x"), unread=False)
        self.eventually(lambda: len(self.caught) == 2)
        self.stored, self.series = [{"t": 500.0 + number, "d": f"new {number}"} for number in range(7)], "y"
        follower.gap(7)
        self.eventually(lambda: len(self.values()) == 12)
        self.assertEqual(
            (self.reasons, self.asked, self.values()[5:]), (["recreated"], 1, [f"new {n}" for n in range(7)])
        )

    def test_away(self) -> None:
        """While the connection is away nothing is read: it may be another stream."""
        follower = self.after_five()
        self.stored = [{"t": 1.0, "d": "new"}, {"t": 2.0, "d": "newer"}]
        follower.look()
        follower.poke()
        self.assertFalse(threading.Event().wait(50 * MS))
        self.assertEqual((self.reasons, len(self.values())), ([], 5))
        follower.began(Seen(2, "y"), unread=False)
        self.eventually(lambda: self.values()[5:] == ["new", "newer"])
        self.assertEqual(self.reasons, ["recreated"])

    def test_gone(self) -> None:
        """A stream that is not there, or not readable, is told once; after that nothing is read until it is back."""
        for error, reason in (
            (NotFound("no", status=404, ref="x"), "deleted"),
            (PermissionDenied("no", status=403), "denied"),
        ):
            with self.subTest(reason):
                self.handed, self.caught, self.reasons = [], [], []
                follower = self.after_five()
                follower.began(Seen(5, "x"), unread=False)
                self.eventually(lambda: len(self.caught) == 2)
                self.trouble = [error]
                follower.look()
                self.eventually(lambda: self.reasons)
                follower.ended("denied")
                follower.told(5, points(5, 6), 1)
                self.stored = points(0, 6)
                follower.began(Seen(6, "x"), unread=False)
                self.eventually(lambda: self.values() == [0, 1, 2, 3, 4, 5])
                self.assertEqual(self.reasons, [reason])

    def test_rest_fails(self) -> None:
        """A read that fails is repeated, after pauses."""
        follower = self.after_five()
        self.again.clear()
        self.stored = points(0, 6)
        self.trouble = [ConnectionFailed("away")] * 3
        follower.began(Seen(6, "x"), unread=False)
        self.eventually(lambda: self.values() == [0, 1, 2, 3, 4, 5])
        self.assertEqual((len(self.again), self.errors), (3, []))

    def test_too_slow(self) -> None:
        """Who wants it to end when it is too slow is told, and it ends."""
        follower = self.follow(overflow="raise")
        follower.began(Seen(0, "x"), unread=False)
        self.eventually(lambda: self.caught)
        with follower._lock:
            for number in range(2):
                follower._course.told(number, points(number, number + 1), module.QUEUE_LIMIT * 2**20)
        follower.poke()
        self.wait(self.ended)
        self.assertIsInstance(self.errors[0], TooSlow)
