"""What one subscription with an id is told."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol.feed import Gap, Lost, Message, Told, read_told
from connectordb.server.handlers import Published
from connectordb.server.storage import Inserted
from connectordb.server.subscribers.following import Following
from connectordb.server.subscribers.news import News

PATH = "a/b/c"


def news(first: int | None, number: int = 1) -> News:
    """Return an insert of points that were stored at *first*, or not at all."""
    points = tuple({"t": index, "d": index} for index in range(number))
    if first is None:
        return News(Published(PATH, points))
    text = b",".join(b'{"t":%d}' % (first + index) for index in range(number))
    return News(Published(PATH, points, Inserted(first, [float(first + index) for index in range(number)], text)))


def said(frame: bytes) -> Told:
    """Return what a frame says."""
    return read_told(frame[frame.index(b"{") :])


class Followings(unittest.TestCase):
    """Every point in order, once, or that it was missed."""

    def test_in_turn(self) -> None:
        """While there is room, an insert is told as it comes."""
        following = Following(PATH, 5)
        for first, number in ((5, 2), (7, 1)):
            frame = following.told(news(first, number), room=True)
            assert frame is not None
            message = said(frame)
            assert isinstance(message, Message)
            self.assertEqual((message.index, len(message.data)), (first, number))
        self.assertFalse(following.behind)
        self.assertEqual(following.catch_up(), [])

    def test_out_of_turn(self) -> None:
        """An index that does not follow is seen."""
        following = Following(PATH, 5)
        self.assertEqual(
            [following.follows(news(first)) for first in (0, 4, 5, 6, None)], [False, False, True, False, True]
        )

    def test_missed(self) -> None:
        """Behind a missed insert nothing is told before the gap is; it grows meanwhile."""
        following = Following(PATH, 0)
        self.assertIsNone(following.told(news(0), room=False))
        self.assertTrue(following.behind)
        self.assertIsNone(following.told(news(1, 3), room=True))
        self.assertIsNone(following.told(news(None, 2), room=True))
        self.assertEqual([said(frame) for frame in following.catch_up()], [Gap(PATH, 0, 4), Lost(PATH, 2)])
        self.assertFalse(following.behind)
        self.assertIsNotNone(following.told(news(4), room=True))

    @given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=30), st.integers(0, 9))
    def test_all_or_said(self, inserts: list[tuple[int, bool, bool]], start: int) -> None:
        """What is told and what is said to be missing, together, is all there is, in order."""
        following, at, told, length, lost, unstored = Following(PATH, start), start, 0, start, 0, 0
        for number, room, catches_up in inserts:
            one = news(length if number else None, number or 1)
            length, unstored = length + number, unstored + (not number)
            frames = [following.told(one, room)] + (following.catch_up() if catches_up else [])
            for frame in filter(None, frames):
                what = said(frame)
                if isinstance(what, Gap):
                    self.assertEqual(what.first, at)
                    at = what.after
                elif isinstance(what, Lost):
                    lost += what.number
                elif isinstance(what, Message) and what.index is not None:
                    self.assertEqual(what.index, at)
                    at += len(what.data)
                else:
                    told += 1
            if catches_up:
                self.assertEqual((at, told + lost), (length, unstored))


class Frames(unittest.TestCase):
    """What is sent to all is made once."""

    def test_once(self) -> None:
        """The same bytes serve everybody."""
        one = news(3)
        self.assertIs(one.plain, one.plain)
        self.assertIs(one.indexed, one.indexed)
        self.assertIs(news(None).first, None)

    def test_as_stored(self) -> None:
        """With an index the points are as they were stored, without as they were sent."""
        one = news(3, 2)
        self.assertEqual(said(one.plain), Message(PATH, ({"t": 0, "d": 0}, {"t": 1, "d": 1})))
        self.assertEqual(said(one.indexed), Message(PATH, ({"t": 3, "d": None}, {"t": 4, "d": None}), index=3))

    def test_numbers(self) -> None:
        """Numbers are told as they are read: an integral one without a point, whether it was stored or not."""
        points = ({"t": 1.0, "d": 2.0}, {"t": 3.5, "d": [4.0, None], "o": "a/b"})
        text = b'{"t":1,"d":2},{"t":3.5,"d":[4,null],"o":"a/b"}'
        for stored in (None, Inserted(0, [1.0, 3.5], text), Inserted(0, [2.0, 3.5], b'{"t":2,"d":2},')):
            with self.subTest(stored):
                self.assertEqual(
                    News(Published(PATH, points, stored)).plain[2:], b'{"stream":"a/b/c","data":[%b]}\n' % text
                )
