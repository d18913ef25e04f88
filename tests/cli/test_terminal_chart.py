"""Pictures of characters."""

from __future__ import annotations

import os
import re
import time
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.cli.terminal_chart import chart
from connectordb.pictures import of_points
from connectordb.plain_text import width

from ..frames.cases import POINTS
from ..pictures.cases import points
from ..support.case import Case


def drawn(*values: Any, width: int = 60, colored: bool = False, step: float = 60.0, schema: Any = None) -> list[str]:
    """Return the lines of a picture."""
    return chart(of_points(points(*values, step=step), "x", schema), width, colored).splitlines()


class InUtc(Case):
    """The clock of the wall is that of the points."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(time.tzset)  # after the next one
        zone = mock.patch.dict(os.environ, {"TZ": "UTC"})
        zone.start()
        self.addCleanup(zone.stop)
        time.tzset()


class Charts(InUtc):
    """What is where."""

    def test_booleans(self) -> None:
        """True is a block, false a low one, null is nothing."""
        self.assertEqual(
            drawn(True, True, False, None, None, True, False, False, width=49)[0].partition("│")[2],
            "██████▁▁▁      ███▁▁▁",
        )

    def test_many_booleans(self) -> None:
        """A column in which both occur is half a block."""
        cells = drawn(*[True] * 300, *[True, False, False] * 100, *[False] * 300, True, width=57)[0].partition("│")[2]
        self.assertRegex(cells, "^█{9,10}▄{9,11}▁{9,10}▄?$")

    def test_texts(self) -> None:
        """A row for each text, the most frequent first."""
        self.assertEqual(
            drawn("on", "off", "on", "on", width=49),
            [
                "x",
                "                    on (3) │███████       ███████",
                "                   off (1) │       ███████",
                "                           └┬────────────────────",
                "                            00:00",
                "                            2026-01-01 00:00:00 – 2026-01-01 00:03:00",
            ],
        )

    def test_numbers(self) -> None:
        """A line between the lowest and the highest, with its unit, round numbers beside it, and times below."""
        lines = drawn(*range(25), schema={"unit": "°C"})
        self.assertEqual(lines[0], "━━ x   [°C]")
        self.assertEqual([line.split("┤")[0].strip() for line in lines if "┤" in line], ["20", "10", "0"])
        self.assertRegex(lines[1], r"^ +│ +[⠀-⣿]+$")
        self.assertRegex(lines[16], r"^ +0 ┤[⠀-⣿]+$")
        self.assertEqual(lines[-2].split(), ["00:00", "00:10", "00:20"])
        self.assertEqual(len({line.index("│") for line in lines if "│" in line}), 1)

    def test_constant(self) -> None:
        """What does not change is in the middle, and zero as well."""
        for value in (0, -5, 1e300):
            lines = [line for line in drawn(value, value) if re.search("[⠁-⣿]", line)]
            self.assertEqual(len(lines), 1)

    def test_gap(self) -> None:
        """Nothing is drawn over a null."""
        lines = drawn(*[1] * 10, *[None] * 10, *[1] * 10, width=72)
        (line,) = (line for line in lines if re.search("[⠁-⣿]", line))
        self.assertRegex(line, r"┤[⠁-⣿]{16,21} {18,24}[⠁-⣿]{16,21}$")

    def test_several(self) -> None:
        """Without colours lines have different marks, with them different colours; what does not go together is below."""
        value = {"a": 1, "b": 3, "c": 1e6, "d": True, "e": "text"}
        other = {"a": 2, "b": 4, "c": 2e6, "d": False, "e": "text"}
        lines = drawn(value, other)
        self.assertEqual(lines[0], "• x a   x x b")
        self.assertIn("━━ x c", lines)
        self.assertTrue(any("x d │█" in line for line in lines))
        self.assertIn("text (2) │█", "\n".join(lines))
        self.assertNotIn("\x1b", "".join(lines))
        self.assertRegex(drawn(value, other, colored=True)[0], r"^\x1b\[38;5;32m━━ x a\x1b\[0m   \x1b\[38;5;172m━━ x b")

    def test_title(self) -> None:
        """What belongs together has its name above, and not in each of its keys; what is alone has its own."""
        two, one = of_points(points({"a": 1, "b": True}), "room/x"), of_points(points(1), "room/x")
        lines = chart(two, 60, False, "room/x").splitlines()
        self.assertEqual(lines[:2], ["room/x", "━━ a"])
        self.assertIn("                         b │", "\n".join(lines))
        self.assertEqual(chart(one, 60, False, "room/x").splitlines()[0], "━━ room/x")

    def test_times(self) -> None:
        """Ticks are on round times, as fine as they have room, and never beyond the edge."""
        for step, expected in (
            (1e-6, r"^00.00000( +00.0000\d)+$"),
            (1e-4, r"^00.000( +00.00\d)+$"),
            (0.01, r"^00.0( +00.\d)+$"),
            (0.1, r"^00:00:00( +00:00:0\d)*$"),
            (60, r"^00:00( +00:\d0)+$"),
            (3600, r"^00:00( +(\d\d:00))+$"),
            (86400, r"^Jan 01( +Jan \d\d)+$"),
            (86400 * 20, r"^2026( +20\d\d)*|Jan 01( +\w{3} \d\d)+$"),
            (86400 * 300, r"^20\d\d( +20\d\d)+$"),
        ):
            with self.subTest(step):
                lines = drawn(*range(30), step=step, width=80)
                self.assertRegex(lines[-2].strip(), expected)
                self.assertLessEqual(max(map(len, lines)), 80)

    def test_moments(self) -> None:
        """Points closer together than a microsecond are a picture, too; a range that is short is told with its fractions."""
        for step in (2.4e-7, 1e-3):
            lines = drawn(*range(10), step=step)
            self.assertRegex(lines[-1], r"2026-01-01 00:00:00.0+ – 2026-01-01 00:00:00.00\d+$")
        drawn(1, 2, step=2.4e-7)

    def test_clocks(self) -> None:
        """Ticks are on round hours of the clocks on the wall, before they are put forward or back and after."""
        with mock.patch.dict(os.environ, {"TZ": "Europe/Berlin"}):
            time.tzset()
            for begin, expected in ((1774717200, "00:00 12:00 00:00"), (1792861200, "00:00 12:00 00:00")):
                made = of_points([{"t": begin + 600.0 * number, "d": number} for number in range(200)])
                self.assertEqual(" ".join(chart(made, 60, False).splitlines()[-2].split()), expected)

    def test_room(self) -> None:
        """Of more names than there is room for some are counted; letters that take two columns do."""
        lines = drawn(*[{f"k{n}": n for n in range(200)}] * 2, width=70)
        self.assertRegex(lines[0], r"^• x k0   x x k1 .* and 19\d more$")
        self.assertLessEqual(len(lines[0]), 85)
        lines = drawn("温度", "ab", "温" * 20)
        self.assertEqual({width(line.partition("│")[0]) for line in lines if "│" in line}, {27})

    def test_nothing(self) -> None:
        """Without points it says so; of one there is a picture."""
        self.assertEqual(drawn(), ["no datapoints"])
        self.assertEqual(chart([], 80, True), "no datapoints\n")
        for value in (1, True, "x", None, {"a": 1, "b": "c"}):
            self.assertGreater(len(drawn(value)), 3)

    def test_names(self) -> None:
        """What others have named cannot write to the terminal."""
        for value in (1, True, "\x1b[2J", {"\x1b[2J": 1, "\n": "x", "\r": True, "\x07": False}):
            series = of_points(points(value, value), "\x1b]0;title\x07", {"unit": "\x1b[31m"})
            self.assertTrue(all(line.isprintable() for line in chart(series, 80, False).splitlines()))

    @settings(deadline=None, max_examples=50)
    @given(POINTS, st.integers(1, 200), st.booleans())
    def test_everything(self, made: list[dict[str, Any]], width: int, colored: bool) -> None:
        """There is a picture of everything, no wider than the terminal, if that has room for any, and without control characters."""
        lines = chart(of_points(made, "x"), width, colored).splitlines()
        plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
        self.assertTrue(all(line.isprintable() for line in plain))
        if made:
            self.assertLessEqual(max(len(line) for line in plain if "│" in line or "┤" in line), max(width, 48))
