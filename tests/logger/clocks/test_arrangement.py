"""Tests of `connectordb.logger.clocks.arrangement`."""

from __future__ import annotations

import unittest
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from connectordb.logger.clocks.arrangement import PATIENCE, Arrangement, Bounds, Point, arrange, earlier, room_below
from connectordb.logger.clocks.judgement import BOUND
from connectordb.logger.times import later

HOUR, YEAR = 3600.0, 3.2e7
NOW = 1.79e9


def sure(t: float) -> Point:
    """Return a point that was stamped by a clock that was judged."""
    return Point(NOW + t, is_sure=True)


def unsure(t: float) -> Point:
    """Return a point that was stamped before the machine started."""
    return Point(NOW + t)


def users(t: float) -> Point:
    """Return a point with a time of the user's."""
    return Point(NOW + t, is_users=True)


BOUNDS = Bounds(0.0, NOW, NOW + BOUND)


class ArrangeTests(unittest.TestCase):
    """Points get the times that they are sent with."""

    def arranged(self, *points: Point, bounds: Bounds = BOUNDS) -> tuple[list[float], Arrangement]:
        """Return the times of the points that are kept, from now on, to milliseconds."""
        done = arrange(points, bounds)
        return [round(t - NOW, 3) for at, t in enumerate(done.times) if at not in done.aside], done

    def test_in_order(self) -> None:
        """What is in order stays as it is; what is not follows just behind."""
        times, done = self.arranged(sure(-9), sure(-8), sure(-8), unsure(-8.5), users(-7))
        self.assertEqual(times, [-9, -8, -8, -8, -7])
        self.assertEqual(done.times, sorted(set(done.times)))
        self.assertEqual((done.due, done.aside), (5, {}))

    def test_floor(self) -> None:
        """Nothing is put below what was sent; a time of the user's is not moved for that, unless wanted."""
        bounds = replace(BOUNDS, floor=NOW - 5)
        times, done = self.arranged(sure(-9), users(-8), sure(-4), bounds=bounds)
        self.assertEqual((times, list(done.aside)), ([-5, -4], [1]))
        self.assertIn("older than", done.aside[1])
        # what is set aside bounds nothing
        self.assertEqual(self.arranged(unsure(3), users(-8), bounds=bounds)[0], [3])
        times, done = self.arranged(sure(-9), users(-8), sure(-4), bounds=replace(bounds, restamp=True))
        self.assertEqual((times, done.aside), ([-5, -5, -4], {}))
        self.assertGreater(done.times[0], NOW - 5)

    def test_users_times(self) -> None:
        """What the Logger stamped stays below the times of the user's behind it, in order, and those are not touched."""
        times, done = self.arranged(sure(-3), sure(-2), users(-7), sure(-1))
        self.assertEqual(times, [-7, -7, -7, -1])
        self.assertEqual(done.times[2], NOW - 7)
        bounds = replace(BOUNDS, users=NOW - 7)
        self.assertLess(self.arranged(sure(-3), bounds=bounds)[1].times[0], NOW - 7)

    def test_no_room(self) -> None:
        """Where there is little room below a time of the user's, what there is is shared."""
        floor = later(NOW - 7)
        at = later(floor)
        done = arrange([sure(-3), sure(-2), sure(-1), Point(at, is_users=True)], replace(BOUNDS, floor=floor))
        self.assertEqual(done.times[3], at)
        self.assertEqual(done.times, sorted(set(done.times)))
        self.assertGreater(done.times[0], floor)

    def test_the_future_waits(self) -> None:
        """A point that is too early waits, and so does what stands behind it; what is a little early does not."""
        times, done = self.arranged(users(-1), users(BOUND - 1), users(BOUND + 1), users(HOUR))
        self.assertEqual((times, done.due), ([-1, BOUND - 1, BOUND + 1, HOUR], 2))
        # no point was stamped after now
        self.assertEqual(self.arranged(unsure(60))[1].due, 0)
        self.assertEqual(self.arranged(sure(60))[1].due, 1)

    def test_far_away(self) -> None:
        """What lies more than a day ahead is set aside, and what stood behind it has its own time."""
        times, done = self.arranged(sure(-9), unsure(10 * YEAR), users(PATIENCE + 1), sure(-8))
        self.assertEqual((times, sorted(done.aside), done.due), ([-9, -8], [1, 2], 4))

    def test_in_the_way(self) -> None:
        """A time of the user's that has not come is set aside once something behind it is due."""
        self.assertEqual(self.arranged(users(HOUR), users(2 * HOUR))[1].aside, {})
        times, done = self.arranged(users(HOUR), sure(-1))
        self.assertEqual((times, list(done.aside), done.due), ([-1], [0], 2))
        bounds = replace(BOUNDS, due=NOW - 1)
        self.assertEqual(list(self.arranged(users(HOUR), bounds=bounds)[1].aside), [0])

    def test_drawn_back(self) -> None:
        """A stretch that cannot be right is shifted to before the next time that can, with its distances."""
        times, done = self.arranged(unsure(-99), unsure(HOUR), unsure(HOUR + 5), unsure(HOUR + 7), sure(-30), sure(-1))
        self.assertEqual((times, done.due), ([-99, -37, -32, -30, -30, -1], 6))
        # an earlier boot's clock may have been ahead, so that it shows what has passed by now
        self.assertEqual(self.arranged(unsure(-9), unsure(-4), sure(-20), sure(-1))[0], [-25, -20, -20, -1])
        # but who says that the later one of two that are not sure is right
        self.assertEqual(self.arranged(unsure(-9), unsure(-20))[0], [-9, -9])
        self.assertEqual(self.arranged(unsure(HOUR), unsure(-20))[0], [-20, -20])
        bounds = replace(BOUNDS, sure=NOW - 50, due=NOW - 50)
        self.assertEqual(self.arranged(unsure(-9), unsure(HOUR), bounds=bounds)[0], [-3659, -50])

    def test_no_clock_behind(self) -> None:
        """A machine that has no clock says nothing about what came before it."""
        times, done = self.arranged(unsure(HOUR), Point(42.0))
        self.assertEqual((times, done.due), ([HOUR, HOUR], 0))

    def test_nothing_known(self) -> None:
        """Where nobody knows the time, everything goes as it is."""
        times, done = self.arranged(unsure(YEAR), users(2 * YEAR), Point(42.0), bounds=Bounds(0.0))
        self.assertEqual((times, done.due, done.aside), ([YEAR, 2 * YEAR, 2 * YEAR], 3, {}))

    def test_room(self) -> None:
        """What stands between points and a time of the user's has room."""
        self.assertAlmostEqual(room_below(NOW, NOW - 9, 5, 100), NOW - 0.0001, delta=1e-5)
        at = NOW + 1e-4
        bound = room_below(at, NOW, 10, 90)
        self.assertTrue(NOW < bound < NOW + 2e-5, bound - NOW)
        done = arrange([sure(1)] * 10, replace(BOUNDS, floor=NOW, users=bound))
        self.assertEqual(done.times, sorted(set(done.times)))
        self.assertLess(done.times[-1], bound)

    @given(some.floats(1e-3, 1e12))
    def test_earlier(self, t: float) -> None:
        """What is earlier is so by the smallest step."""
        self.assertLess(earlier(t), t)
        self.assertLessEqual(later(earlier(t)), t)
        self.assertAlmostEqual(earlier(t), t, delta=max(3e-6, t * 1e-15))


offsets = some.one_of(
    some.integers(-20, 20).map(float), some.sampled_from([-NOW + 42, -YEAR, -HOUR, 60.0, BOUND + 9, HOUR, 10 * YEAR])
)


class ArrangeProperties(unittest.TestCase):
    """Whatever there is."""

    @given(
        some.lists(some.tuples(some.sampled_from(["sure", "unsure", "users"]), offsets), max_size=12),
        some.sampled_from([0.0, NOW - 7.5, NOW]),
        some.booleans(),
    )
    def test_rules(self, given_points: list[tuple[str, float]], floor: float, restamp: bool) -> None:
        """Order stays, times increase, the user's are not touched, nothing early is sent, and again changes nothing."""
        points, newest = [], float("-inf")
        for kind, t in given_points:
            if kind == "users":  # these were in order when they came
                t = newest = max(t, newest + 0.5)
            points.append({"sure": sure(min(t, 0)), "unsure": unsure(t), "users": users(t)}[kind])
        bounds = Bounds(floor, NOW, NOW + BOUND, restamp)
        done = arrange(points, bounds)
        kept = [at for at in range(len(points)) if at not in done.aside]
        times = [done.times[at] for at in kept]
        self.assertTrue(all(a < b for a, b in zip([floor, *times], times, strict=False)), times)
        for at in kept:
            if points[at].is_users and points[at].t > floor:
                self.assertEqual(done.times[at], points[at].t)
            if at < done.due:
                self.assertLessEqual(done.times[at], bounds.latest)
        for at in done.aside:
            self.assertFalse(points[at].is_sure)
        if not any(point.is_users for point in points):
            last = floor
            for at, point in enumerate(points):
                if point.is_sure:  # these have the times that they ought to have, where the order allows
                    last = max(last, point.t)
                    self.assertAlmostEqual(done.times[at], last, delta=0.001)
        again = arrange([points[at] for at in kept], bounds)
        self.assertEqual((again.times, again.aside), (times, {}))
