"""Tests of `tests.faults.check` and `tests.faults.book`: a harness that finds nothing is worth nothing."""

from __future__ import annotations

import unittest

from .book import Book, Point
from .check import Allowed, adds_up, all_is_settled, receipts_are_right, stream_is_right

A, B, C = [("a", number) for number in (1, 2, 3)]


def book(accepted: list[Point], held: list[Point], **more: object) -> Book:
    """Return the book of a stream that holds points a second apart."""
    made = Book("s", accepted=list(accepted), held=[(float(at), point) for at, point in enumerate(held)])
    for name, value in more.items():
        setattr(made, name, value)
    return made


def counts(confirmed: int, **more: int) -> dict[str, int]:
    """Return numbers that add up, unless told otherwise."""
    made = {"confirmed": confirmed, "waiting": 0, "aside": 0, "dropped": 0, "rows": 0, **more}
    places = sum(made[place] for place in ("confirmed", "waiting", "aside", "dropped"))
    return {"accepted": places, **made}


class LedgerTests(unittest.TestCase):
    """A Logger's numbers add up at every instant, and are those of its file."""

    def test_right(self) -> None:
        """Numbers that add up are right; a point in doubt may be counted or not."""
        for doubtful, accepted in (set(), 2), ({C}, 2), ({C}, 3):
            with self.subTest(doubtful=doubtful, accepted=accepted):
                made = counts(accepted - 1, waiting=1, rows=1)
                self.assertEqual([], list(adds_up(book([A, B], [], doubtful=doubtful), made)))

    def test_wrong(self) -> None:
        """One too many, one too few, a row that is not counted, a number below nothing: each is found."""
        for made in (
            counts(1),
            counts(3),
            counts(1, waiting=1),
            counts(2, rows=1),
            counts(3, waiting=-1, rows=-1),
            {**counts(2), "accepted": 3},
        ):
            with self.subTest(counts=made):
                self.assertNotEqual([], list(adds_up(book([A, B], []), made)))


class StreamTests(unittest.TestCase):
    """A stream holds what was logged, once, and in order."""

    def test_right(self) -> None:
        """It may hold less, what is in doubt, and what others wrote between."""
        other = ("another", 9)
        made = book([A, B], [A, other, C], doubtful={C}, others=[other])
        self.assertEqual([], list(stream_is_right(made)))

    def test_wrong(self) -> None:
        """What is there twice, out of order, strange or refused is found, and times that go back."""
        for made, word in (
            (book([A, B], [A, B, A]), "2 times"),
            (book([A, B], [B, A]), "out of order"),
            (book([A], [A, B]), "nobody logged"),
            (book([A], [A, B], refused={B}), "not accepted"),
            (book([A], ["5 at 3.0"]), "nobody logged"),  # type: ignore[list-item]
            (Book("s", accepted=[A, B], held=[(2.0, A), (1.0, B)]), "go back"),
        ):
            with self.subTest(word=word):
                self.assertIn(word, " ".join(stream_is_right(made)))


class SettledTests(unittest.TestCase):
    """In the end every point that was accepted is in one place."""

    def settled(self, made: Book, numbers: dict[str, int], allowed: Allowed = lambda point, reason: True) -> str:
        """Return what is wrong, in a line."""
        return " ".join(all_is_settled(made, numbers, {point: "why" for point in made.aside}, allowed))

    def test_right(self) -> None:
        """Points are in the stream, aside, or gone with a stream; one in doubt is known if it turned up."""
        self.assertEqual("", self.settled(book([A, B], [A, B]), counts(2)))
        self.assertEqual("", self.settled(book([A, B], [A], aside=[B]), counts(1, aside=1)))
        self.assertEqual("", self.settled(book([A, B], [B], gone={A}), counts(2)))
        self.assertEqual("", self.settled(book([A], [A], doubtful={B}), counts(1)))
        self.assertEqual("", self.settled(book([A], [A, B], doubtful={B}), counts(2)))

    def test_wrong(self) -> None:
        """A point that is lost, in two places, aside for no reason, waiting or miscounted is found."""
        other = ("another", 9)
        for made, numbers, word in (
            (book([A, B], [A]), counts(2), "('a', 2) is lost"),
            (book([A, B], [A, B]), counts(1, dropped=1), "counts 1 dropped"),
            (book([A], [A], others=[other]), counts(1), "of another writer, is lost"),
            (book([A, B], [A, B], aside=[B]), counts(1, aside=1), "is there, and set aside"),
            (book([A], [A], aside=[C]), counts(1, aside=1), "never accepted"),
            (book([A, B], [A], aside=[B, B]), counts(1, aside=2), "different ones"),
            (book([A, B], [A, B]), counts(1, waiting=1), "nothing is in their way"),
            (book([A, B], [A, B]), counts(3), "3 points confirmed, and 2 were"),
        ):
            with self.subTest(word=word):
                self.assertIn(word, self.settled(made, numbers))
        self.assertIn(
            "no reason", self.settled(book([A], [], aside=[A]), counts(0, aside=1), lambda point, reason: False)
        )

    def test_dropped(self) -> None:
        """As many points may be nowhere as the Logger counts as dropped."""
        self.assertEqual("", self.settled(book([A, B], [B]), counts(1, dropped=1)))

    def test_receipts(self) -> None:
        """A receipt says where its point is."""
        made = book([A, B, C], [A], aside=[B])
        for point, right in (A, "stored"), (B, "set aside"), (C, "dropped"):
            for state in "stored", "set aside", "dropped", "waiting":
                with self.subTest(point=point, state=state):
                    self.assertEqual(state != right, bool(list(receipts_are_right(made, point, state))))

    def test_doubts(self) -> None:
        """A point that was in doubt and is nowhere must not turn up later."""
        made = book([A], [A, B], doubtful={B, C})
        made.resolve()
        self.assertEqual(([A, B], {C}, set()), (made.accepted, made.refused, made.doubtful))
        made.held.append((9.0, C))
        self.assertIn("was not accepted", " ".join(stream_is_right(made)))
