"""Tests of `tests.live_faults.check`: a harness that sees nothing would be worse than none."""

from __future__ import annotations

import unittest

from .check import Change, Point, adds_up, is_continued, is_continued_through, is_heard_once

_STREAM = [Point(index, 100.0 + index, ["p", index]) for index in range(10)]
_NEW = [Point(index, 200.0 + index, ["q", index]) for index in range(4)]


class ContinuedTests(unittest.TestCase):
    """What was told is the stream, index by index, or it is said what is wrong."""

    def wrong(self, told: list[Point], stream: list[Point] = _STREAM) -> str:
        return "\n".join(is_continued("it", told, stream))

    def test_the_stream_itself_is_right(self) -> None:
        self.assertEqual(self.wrong(_STREAM), "")
        self.assertEqual(self.wrong([], []), "")

    def test_a_missing_point_is_named(self) -> None:
        self.assertIn("1 points are missing: 4 of 0…9", self.wrong(_STREAM[:4] + _STREAM[5:]))

    def test_the_last_point_is_missed_too(self) -> None:
        self.assertIn("missing: 9", self.wrong(_STREAM[:9]))

    def test_a_point_that_comes_twice_is_named(self) -> None:
        self.assertIn("came twice: 3", self.wrong([*_STREAM[:4], *_STREAM[3:]]))

    def test_a_point_of_before_is_named(self) -> None:
        self.assertIn("should not have come again", self.wrong([*_STREAM[4:], _STREAM[0]], _STREAM[4:]))

    def test_what_is_out_of_order_is_named(self) -> None:
        self.assertIn("out of order: 1", self.wrong([_STREAM[0], _STREAM[2], _STREAM[1], *_STREAM[3:]]))

    def test_another_value_or_time_is_named(self) -> None:
        self.assertIn("not as they are stored", self.wrong([Point(0, 100.0, "x"), *_STREAM[1:]]))
        self.assertIn("not as they are stored", self.wrong([Point(0, 100.5, ["p", 0]), *_STREAM[1:]]))

    def test_a_point_without_a_place_is_named(self) -> None:
        self.assertIn("without an index", self.wrong([Point(None, 100.0, ["p", 0]), *_STREAM[1:]]))


class ChangeTests(unittest.TestCase):
    """A stream that was made anew is told from its first point on, one that was set back from the last that was handed on."""

    def wrong(
        self, told: list[Point], gone: list[tuple[int, str]], resumes: bool, kept: int, stream: list[Point]
    ) -> str:
        change = Change(frozenset({"restored" if resumes else "recreated"}), _STREAM, kept, resumes)
        return "\n".join(is_continued_through("it", told, gone, change, 5, stream))

    def test_made_anew(self) -> None:
        told = [*_STREAM[5:8], *_NEW]
        self.assertEqual(self.wrong(told, [(3, "recreated")], False, 0, _NEW), "")
        self.assertIn("nobody told", self.wrong(told, [], False, 0, _NEW))
        self.assertIn("it was told that", self.wrong(told, [(3, "restored")], False, 0, _NEW))
        self.assertIn("missing: 0", self.wrong([*_STREAM[5:8], *_NEW[1:]], [(3, "recreated")], False, 0, _NEW))

    def test_read_before_it_was_known(self) -> None:
        """Who had nothing yet may have the new stream's first points before he is told, and then has them again."""
        change = Change(frozenset({"recreated"}), _STREAM, 0, False)

        def wrong(told: list[Point], first: int) -> str:
            return "\n".join(is_continued_through("it", told, [(2, "recreated")], change, first, _NEW))

        self.assertEqual(wrong([*_NEW[:2], *_NEW], 0), "")
        self.assertIn("not as they are stored", wrong([*_NEW[1:3], *_NEW], 0) + wrong([*_NEW[:2], *_NEW], 5))
        self.assertIn("missing", wrong([*_NEW[:2], *_NEW[2:]], 0))

    def test_set_back_behind_what_was_handed_on(self) -> None:
        now = [*_STREAM[:6], *(Point(6 + n, 300.0 + n, ["q", n]) for n in range(4))]
        told = [*_STREAM[5:8], *now[6:]]
        self.assertEqual(self.wrong(told, [(3, "restored")], True, 6, now), "")
        self.assertIn("nobody told", self.wrong(told, [], True, 6, now))
        self.assertIn("missing: 6", self.wrong([*_STREAM[5:8], *now[7:]], [(3, "restored")], True, 6, now))

    def test_set_back_to_where_it_was_is_none_of_ones_business(self) -> None:
        now = [*_STREAM[:7], *(Point(7 + n, 300.0 + n, ["q", n]) for n in range(4))]
        self.assertEqual(self.wrong(now[5:], [], True, 7, now), "")

    def test_nothing_was_told_before(self) -> None:
        self.assertEqual(self.wrong(_NEW, [(0, "recreated")], False, 0, _NEW), "")


class HeardTests(unittest.TestCase):
    """Of a stream that stores nothing, nothing is told twice, or in another order, or made up."""

    def wrong(self, *told: tuple[str, int]) -> str:
        return "\n".join(is_heard_once("it", [list(point) for point in told], {("p", 1), ("p", 2), ("q", 1)}))

    def test_each_once(self) -> None:
        self.assertEqual(self.wrong(("p", 1), ("q", 1), ("p", 2)), "")
        self.assertEqual(self.wrong(("q", 1), ("p", 2)), "")

    def test_what_is_wrong_is_named(self) -> None:
        self.assertIn("twice", self.wrong(("p", 1), ("p", 1)))
        self.assertIn("out of order", self.wrong(("p", 2), ("p", 1)))
        self.assertIn("nobody wrote", self.wrong(("p", 3)))


class NumbersTests(unittest.TestCase):
    """What a subscription says of itself is compared, one number at a time."""

    def test_each_number(self) -> None:
        right = {"delivered": 3, "missed": 0, "lag": 0, "last_index": 7, "state": "live"}
        self.assertEqual(list(adds_up("it", right, 3, 7)), [])
        for what, value in {"delivered": 2, "missed": 1, "lag": 1, "last_index": 6, "state": "catching up"}.items():
            with self.subTest(what):
                self.assertIn(what, "\n".join(adds_up("it", {**right, what: value}, 3, 7)))
