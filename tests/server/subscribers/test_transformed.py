"""One subscription with a transform: order, what is missed, and ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from unittest import mock

from connectordb.protocol.feed import EndReason, Lost, Message, Told, read_told
from connectordb.server.config import Queries
from connectordb.server.handlers import Published
from connectordb.server.handlers.scripts import of_subscription
from connectordb.server.refusal import Refusal
from connectordb.server.storage import Inserted
from connectordb.server.subscribers import transformed
from connectordb.server.subscribers.backlog import Backlog
from connectordb.server.subscribers.news import News
from connectordb.server.subscribers.transformed import Transform, Transformed

from ...support.case import SOON, Case

PATH = "a/b/c"

T = TypeVar("T")

LIMITED = Queries(subscription_seconds=SOON, subscription_bytes=1024)


def news(first: int, *values: Any) -> News:
    """Return an insert whose times were moved when it was stored."""
    points = tuple({"t": float(n), "d": value} for n, value in enumerate(values, 1))
    text = b",".join(b'{"t":%d,"d":%s}' % (100 + n, str(value).encode()) for n, value in enumerate(values, first))
    return News(Published(PATH, points, Inserted(first, [100.0 + n for n in range(len(values))], text)))


class Friend:
    """Whose subscription it is."""

    own_path = "a/b"

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.room = True
        self.dropped = False
        self.ended: list[EndReason] = []

    def say(self, frame: bytes) -> bool:
        """Take a frame, if there is room."""
        if self.room:
            self.told.append(read_told(frame[frame.index(b"{") :]))
        return self.room

    def drop(self) -> None:
        """Take note."""
        self.dropped = True

    def end_transformed(self, which: Transformed, reason: EndReason) -> None:
        """Take note, and close it."""
        self.ended.append(reason)
        which.close()

    async def look_again(self) -> None:
        """Do nothing."""


async def compute(work: Callable[[], T], /) -> T:
    """Compute on another thread."""
    return await asyncio.to_thread(work)


class Telling(Case):
    """What is told of inserts."""

    def play(
        self,
        text: str,
        inserts: list[News],
        *,
        indexed: bool = True,
        room: bool = True,
        how: Any = compute,
        queries: Queries = LIMITED,
        waiting: int = 10**6,
    ) -> Friend:
        """Tell a subscription of inserts, and wait until it has nothing to do."""

        async def main() -> Friend:
            friend = Friend()
            friend.room = room
            backlog = Backlog(waiting)
            made = Transformed(
                PATH, Transform(text, *of_subscription(text, queries)), friend, how, backlog, indexed=indexed
            )
            for each in inserts:
                made.tell(each)
            while made._task is not None:
                await asyncio.sleep(0)
            made.close()
            self.assertEqual(backlog.bytes, 0)
            return friend

        return asyncio.run(asyncio.wait_for(main(), SOON))

    def test_each_insert_by_itself(self) -> None:
        """The script begins anew with each, as on the original; without an id, with the times as they were sent."""
        friend = self.play("sum | if last", [news(0, 1, 2), news(2, 3)], indexed=False)
        first, second = (Message(PATH, ({"t": t, "d": d},), "sum | if last") for t, d in ((2, 3), (1, 3)))
        self.assertEqual(friend.told, [first, second])

    def test_indices(self) -> None:
        """With an id, the times are those that were stored, and the index is that of the insert."""
        friend = self.play("$ * 2", [news(7, 1)], indexed=True)
        self.assertEqual(friend.told, [Message(PATH, ({"t": 107, "d": 2},), "$ * 2", 7)])

    def test_nothing_is_not_told(self) -> None:
        """An insert of which nothing is left."""
        self.assertEqual(self.play("if $ > 5", [news(0, 1), news(1, 2)], indexed=True).told, [])

    def test_failures(self) -> None:
        """Skip an insert; with an id that is told, behind what could be computed."""
        inserts = [news(0, 1), news(1, "x"), news(2, 3)]
        inserts[1] = news(1, '"x"')
        ok = [Message(PATH, ({"t": 1, "d": 1},), "sum"), Message(PATH, ({"t": 1, "d": 3},), "sum")]
        self.assertEqual(self.play("sum", inserts, indexed=False).told, ok)
        *told, lost = self.play("sum", inserts, indexed=True).told
        self.assertEqual((len(told), lost), (2, Lost(PATH, 1, "sum")))

    def test_no_room(self) -> None:
        """Without an id the connection is cut; with one, what was missed is told when there is room."""
        self.assertTrue(self.play("$", [news(0, 1)], indexed=False, room=False).dropped)
        self.assertFalse(self.play("$", [news(0, 1)], indexed=True, room=False).dropped)
        many = [news(n, n) for n in range(transformed._MOST + 5)]
        self.assertTrue(self.play("$", many, indexed=False).dropped)
        told = self.play("$", many, indexed=True).told
        self.assertEqual((len(told), told[-1]), (transformed._MOST + 1, Lost(PATH, 5, "$")))

    def test_too_much_at_once(self) -> None:
        """What cannot be computed for want of threads is missed."""

        async def busy(work: Callable[[], bytes], /) -> bytes:
            raise Refusal(503, "too many")

        self.assertEqual(self.play("$", [news(0, 1)], indexed=True, how=busy).told, [Lost(PATH, 1, "$")])

    def test_too_much_waits(self) -> None:
        """Inserts that are large do not wait in any number; one alone may be of any size."""
        told = self.play("length", [news(0, *[1] * 50), news(50, *[1] * 50), news(100, 1)], waiting=1500).told
        self.assertEqual([type(each) for each in told], [Message, Message, Lost])
        self.assertEqual(told[-1], Lost(PATH, 50, "length"))
        self.assertEqual(len(self.play("length", [news(0, *[1] * 50)], waiting=1).told), 1)

    def test_too_long(self) -> None:
        """A transform that takes too long for an insert ends its subscription, whatever it makes of that."""
        endless = "if " + " and ".join(["$ != $"] * 800)
        many = news(0, *[1] * 3000)
        hasty = Queries(subscription_seconds=0.01)
        for indexed in (True, False):
            friend = self.play(endless, [news(0, 1), many, news(3001, 1)], indexed=indexed, queries=hasty)
            self.assertEqual((friend.told, friend.ended), ([], ["exceeded"]))
        friend = self.play("$", [news(0, 1)] * 5, queries=Queries(subscription_seconds=SOON))
        self.assertEqual((len(friend.told), friend.ended), (5, []))

    def test_too_large(self) -> None:
        """One that makes too much of an insert ends it, too; each insert may have all of it."""
        growing = "{'a': $, 'b': $, 'c': $, 'd': $}"
        friend = self.play(growing, [news(n, *[1] * 15) for n in range(3)])
        self.assertEqual((len(friend.told), friend.ended), (3, []))
        friend = self.play(growing, [news(0, 1), news(1, *[1] * 50), news(51, 1)])
        self.assertEqual((len(friend.told), friend.ended), (1, ["exceeded"]))

    def test_closed_while_it_is_computed(self) -> None:
        """It ends soon, and is not told."""
        begun, ended = threading.Event(), threading.Event()

        def work(made: Callable[[], bytes]) -> bytes:
            begun.set()
            try:
                return made()
            finally:
                ended.set()

        async def main() -> Friend:
            friend, backlog = Friend(), Backlog(10**6)
            text = "if " + " and ".join(["$ != $"] * 800)
            transform = Transform(text, *of_subscription(text, Queries(subscription_seconds=60)))
            made = Transformed(
                PATH, transform, friend, lambda each: asyncio.to_thread(work, each), backlog, indexed=True
            )
            made.tell(news(0, *[1] * 100_000))
            self.assertTrue(await asyncio.to_thread(begun.wait, SOON))
            made.close()
            self.assertTrue(await asyncio.to_thread(ended.wait, SOON))
            self.assertEqual(backlog.bytes, 0)
            return friend

        self.assertEqual(asyncio.run(asyncio.wait_for(main(), SOON)).told, [])

    def test_what_nobody_thought_of(self) -> None:
        """Is logged, and the insert missed; those behind it are told."""
        with (
            mock.patch.object(transformed, "text_of", side_effect=[ZeroDivisionError, b"{}"]),
            self.assertLogs(transformed.log, "ERROR"),
        ):
            told = self.play("$", [news(0, 1), news(1, 2)]).told
        self.assertEqual(told, [Message(PATH, ({"d": None},), "$", 1), Lost(PATH, 1, "$")])
