"""Tests of `connectordb.logger.clocks.judgement`."""

from __future__ import annotations

import unittest
from dataclasses import replace
from math import inf

from hypothesis import given
from hypothesis import strategies as some

from connectordb.logger.clocks.eras import STEP
from connectordb.logger.clocks.judgement import BOUND, PLAUSIBLE, Clocks, Era, corrections, implausible, judge

HOUR, DAY, YEAR = 3600.0, 86_400.0, 365.25 * 86_400.0
#: A day in 2026.
NOW = 1.79e9


class JudgeTests(unittest.TestCase):
    """Who is right when the clocks disagree."""

    def test_table(self) -> None:
        """The machine up to a quarter of an hour, the server beyond that, nobody who cannot be right."""
        cases = [
            # the machine, the server, what one said earlier → who is right, who is believed of the server
            ("they agree", NOW, NOW - 0.7, 0.0, "wall", True),
            ("minutes off", NOW + 600, NOW, NOW - DAY, "wall", True),
            ("minutes off, the other way", NOW - 600, NOW, NOW - DAY, "wall", True),
            ("another time zone", NOW + HOUR, NOW, NOW - DAY, "server", True),
            ("a day behind", NOW - DAY, NOW, 0.0, "server", True),
            ("a board without a clock", 42.0, NOW, 0.0, "server", True),
            ("before 1970", -42.0, NOW, 0.0, "server", True),
            ("the far future", NOW + 10 * YEAR, NOW, NOW - DAY, "server", True),
            ("a server without a clock", NOW, 42.0, 0.0, "wall", False),
            ("both without", 42.0, 77.0, 0.0, None, False),
            ("a server that went back", NOW, NOW - DAY, NOW - HOUR, "wall", False),
            ("both went back", NOW - DAY, NOW - 2 * DAY, NOW, "server", True),
            ("both agree that an earlier server was wrong", NOW, NOW, NOW + 10 * YEAR, "wall", True),
            ("no server's time", NOW, None, NOW - DAY, "wall", False),
            ("no server's time, and a clock that went back", NOW - DAY, None, NOW, None, False),
            ("no server's time, and no clock", 42.0, None, 0.0, None, False),
        ]
        for what, wall, server, known, right, believed in cases:
            with self.subTest(what):
                verdict = judge(Clocks(wall, server, known=known))
                self.assertEqual(verdict.now, {"wall": wall, "server": server, None: None}[right])
                self.assertEqual(verdict.server, server if believed else None)
                expected = inf if right is None else (server if believed and server is not None else wall) + BOUND
                self.assertEqual(verdict.latest, expected)

    def test_implausible(self) -> None:
        """A clock that shows less than 2001, or clearly less than a server said, is wrong for certain."""
        self.assertTrue(implausible(PLAUSIBLE - 1, 0.0))
        self.assertFalse(implausible(PLAUSIBLE, 0.0))
        self.assertFalse(implausible(NOW - BOUND, NOW))
        self.assertTrue(implausible(NOW - BOUND - 1, NOW))


class CorrectionsTests(unittest.TestCase):
    """By how much eras were off."""

    up = 1000.0

    def corrected(self, *eras: Era, wall: float = NOW, server: float | None = NOW) -> dict[int, float]:
        clocks = Clocks(wall, server, self.up, "b")
        return corrections(eras, clocks, judge(clocks))

    def era(self, id: int, off: float, corrected: float | None = None, boot: str = "b") -> Era:
        """Return an era in which the clock was off by so much."""
        return Era(id, boot, NOW - self.up + off, corrected)

    def test_set_by_a_time_server(self) -> None:
        """What was stamped before the clock was set is right by as much as it was set."""
        self.assertEqual(self.corrected(self.era(1, -NOW), self.era(2, 0.0)), {1: NOW, 2: 0.0})
        self.assertEqual(self.corrected(self.era(1, 90.0), self.era(2, 0.0)), {1: -90.0, 2: 0.0})

    def test_no_step(self) -> None:
        """Up to two seconds are no step."""
        self.assertEqual(self.corrected(self.era(1, STEP - 0.1), self.era(2, 0.0)), {1: 0.0, 2: 0.0})

    def test_the_wrong_step(self) -> None:
        """A step away from the server's time does not make wrong what was stamped before it."""
        off = 600.0
        self.assertEqual(self.corrected(self.era(1, 0.0), self.era(2, off), wall=NOW + off), {1: 0.0, 2: 0.0})
        self.assertEqual(
            self.corrected(self.era(1, 0.0), self.era(2, off), wall=NOW + off, server=None), {1: off, 2: 0.0}
        )

    def test_by_the_server(self) -> None:
        """Where the clock cannot be right, the server says how it ought to be; an era that was minutes off stays."""
        changes = self.corrected(self.era(1, 300.0), self.era(2, -HOUR), self.era(3, -NOW), wall=0.0)
        self.assertEqual(changes, {1: 0.0, 2: HOUR, 3: NOW})

    def test_judged_once(self) -> None:
        """What an earlier pass took for right stays so, whatever the clock does since; the era that lasts is judged again."""
        self.assertEqual(self.corrected(self.era(1, -HOUR, 0.0), self.era(2, 0.0, 0.0)), {})
        self.assertEqual(self.corrected(self.era(1, 0.0, -HOUR)), {1: 0.0})
        self.assertEqual(self.corrected(self.era(1, -HOUR, HOUR + 1.0), wall=NOW - HOUR), {})
        self.assertEqual(self.corrected(self.era(1, -HOUR, HOUR + DAY), wall=NOW - HOUR), {1: HOUR})

    def test_nobody_knows(self) -> None:
        """Nothing is corrected by a clock that cannot be right."""
        self.assertEqual(self.corrected(self.era(1, -NOW), wall=0.0, server=None), {})

    def test_earlier_boots(self) -> None:
        """A boot that is over is held to its newest era that can be right, or to one that was judged then."""
        first, second, third = (self.era(n, off, None, "a") for n, off in [(1, -NOW), (2, -HOUR), (3, YEAR)])
        self.assertEqual(self.corrected(first, second), {1: NOW - HOUR, 2: 0.0})
        self.assertEqual(self.corrected(first, second, third), {1: NOW - HOUR, 2: 0.0, 3: -YEAR - HOUR})
        self.assertEqual(self.corrected(replace(first, corrected=NOW), second), {2: HOUR})
        self.assertEqual(self.corrected(first), {})
        self.assertEqual(self.corrected(third), {})

    @given(
        some.lists(some.sampled_from([-NOW, -YEAR, -HOUR, -90.0, -1.0, 0.0, 1.0, 90.0, HOUR, YEAR]), max_size=5),
        some.sampled_from([0.0, 60.0, -HOUR, -NOW]),
    )
    def test_nothing_gets_worse(self, offs: list[float], wall: float) -> None:
        """A correction brings an era nearer to the server's time, and doing it again changes nothing."""
        eras = [self.era(n, off) for n, off in enumerate(offs, 1)]
        changes = self.corrected(*eras, wall=NOW + wall)
        for era, off in zip(eras, offs, strict=True):
            self.assertLessEqual(abs(off + changes[era.id]), abs(off) + 1e-6)
        again = self.corrected(*(replace(era, corrected=changes[era.id]) for era in eras), wall=NOW + wall)
        self.assertEqual(again, {})
