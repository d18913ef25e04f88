"""Tests of `connectordb.live.following.course`: a stream that becomes another kind of stream, or ends."""

from __future__ import annotations

import threading

from connectordb.exceptions import ConnectionFailed, PointsMissed, TooSlow
from connectordb.live.following.losses import QUEUE_LIMIT
from connectordb.live.following.reads import Seen
from connectordb.live.handing.batch import Batch
from tests.support.case import SOON

from .test_follower import FollowerCase, points


class CourseTests(FollowerCase):
    """What is heard, in the order in which it comes."""

    def test_stored_from_now_on(self) -> None:
        """A stream that was ephemeral and is not any more: its points have a place, and none is missed."""
        follower = self.follow()
        follower.began(Seen(0, "x", True), unread=False)
        follower.told(None, points(0, 1), 1)
        self.eventually(lambda: self.handed == [(None, [0], False)])
        self.stored = points(0, 3)
        follower.told(0, points(0, 2), 1)
        follower.told(2, points(2, 3), 1)
        self.eventually(lambda: self.values()[1:] == [0, 1, 2])
        self.assertEqual((self.handed[1][0], self.errors), (0, []))

    def test_told_before_the_end(self) -> None:
        """What was told before the stream was deleted is handed on first: nobody can read it any more."""
        begun, go_on = threading.Event(), threading.Event()
        follower = self.follow()
        hand = self.hand

        def slow(batch: Batch, claim: object) -> None:
            begun.set()
            self.assertTrue(go_on.wait(SOON))
            hand(batch, None)

        self.hand = slow  # type: ignore[assignment,method-assign]
        follower.began(Seen(0, "x"), unread=False)
        self.eventually(lambda: self.caught == [0])
        follower.told(0, points(0, 1), 1)
        self.wait(begun)
        follower.told(1, points(1, 4), 1)
        follower.ended("deleted")
        go_on.set()
        self.eventually(lambda: self.reasons == ["deleted"])
        self.assertEqual(self.values(), [0, 1, 2, 3])

    def test_end_went_back(self) -> None:
        """A stream whose end went back before anything was handed on: that is told, and nothing is left out."""
        self.stored = points(0, 20)
        follower = self.follow()
        follower.began(Seen(20, "x"), unread=False)
        self.eventually(lambda: self.caught == [0])
        follower.disconnected()
        self.stored = points(0, 10)
        follower.began(Seen(10, "x"), unread=False)
        self.eventually(lambda: self.reasons == ["restored"])
        self.stored = points(0, 25)
        follower.told(10, points(10, 25), 1)
        self.eventually(lambda: self.values() == list(range(10, 25)))

    def test_too_many_without_a_place(self) -> None:
        """Who wants to end when it is too slow does, also where points have no place, and where only signals come."""
        begun, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def slow(batch: Batch, claim: object) -> None:
            begun.set()
            self.assertTrue(go_on.wait(SOON))

        self.hand = slow  # type: ignore[assignment,method-assign]
        follower = self.follow(overflow="raise")
        follower.began(Seen(0, "x", True), unread=False)
        follower.told(None, points(0, 1), 1)
        self.wait(begun)
        for number in range(0, 300, 60):
            follower.told(None, points(number, number + 60), 1)
        go_on.set()
        self.wait(self.ended)
        self.assertIsInstance(self.errors[0], TooSlow)
        self.ended.clear()
        follower = self.follow(overflow="raise")
        follower.began(Seen(0), unread=True)
        with follower._lock:
            follower._course.signal(QUEUE_LIMIT + 1)
        follower.poke()
        self.wait(self.ended)

    def test_nothing_was_lost(self) -> None:
        """Where nothing can be fetched, a second look at the stream is no lost connection."""
        follower = self.follow()
        follower.began(Seen(0, "", True), unread=True)
        follower.began(Seen(0, "", True), unread=True)
        follower.told(None, points(0, 1), 1)
        self.eventually(lambda: self.handed)
        self.assertEqual(self.errors, [])
        follower.disconnected()
        follower.began(Seen(0, "", True), unread=True)
        follower.obeyed(follower.beginnings)
        self.eventually(lambda: self.errors)

    def test_not_before_the_server_tells(self) -> None:
        """Where nothing can be fetched, it is live, and what may be lost is told, once the server has obeyed, and not before."""
        follower = self.follow()
        follower.began(Seen(0, "", True), unread=True)
        follower.disconnected()
        follower.began(Seen(0, "", True), unread=True)
        follower.obeyed(1)  # the pong of the connection that was lost
        follower.told(None, points(0, 1), 1)
        self.eventually(lambda: self.handed)
        self.assertEqual((self.errors, self.caught), ([], []))
        for _ in range(2):
            follower.obeyed(follower.beginnings)
        self.eventually(lambda: self.caught == [0])
        self.assertIsInstance(self.errors[0], PointsMissed)
        self.assertEqual(len(self.errors), 1)

    def test_pauses(self) -> None:
        """While a read that failed is not due again, signals have nothing read; the pause is kept however many there are."""
        follower = self.follow()
        follower.began(Seen(0), unread=True)
        self.eventually(lambda: self.caught == [0])
        waiting: list[float] = []
        follower._later = lambda seconds, action: waiting.append(seconds)
        self.trouble = [ConnectionFailed("away")]
        for _ in range(50):
            follower.signal(1)
            self.eventually(lambda: waiting)
        self.assertEqual((len(waiting), self.handed), (1, []))
        self.stored = points(0, 50)
        follower.poke()
        self.eventually(lambda: self.values() == list(range(50)))
