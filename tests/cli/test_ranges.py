"""The options of a range."""

from __future__ import annotations

from typing import Any

import click
from click.testing import CliRunner

from connectordb.cli.ranges import ranged

from ..support.case import Case


class Ranges(Case):
    """What is typed, as reads take it."""

    def test_typed(self) -> None:
        """Times that are numbers are seconds, and others stay text; what is not given is nothing."""
        given: dict[str, Any] = {}

        @click.command()
        @ranged
        def command(**typed: Any) -> None:
            given.update(typed)

        nothing = dict.fromkeys(("t1", "t2", "i1", "i2", "limit", "transform"))
        for typed, expected in (
            ([], {}),
            (["--t1", "1.5e9", "--t2", "-3"], {"t1": 1.5e9, "t2": -3.0}),
            (["--t1", "2026-01-01"], {"t1": "2026-01-01"}),
            (["--t1", "20260101"], {"t1": "20260101"}),
            (["--t2", "2026"], {"t2": "2026"}),
            (["--i1", "-5", "--i2", "7"], {"i1": -5, "i2": 7}),
            (["--limit", "3", "--transform", "mean"], {"limit": 3, "transform": "mean"}),
        ):
            with self.subTest(typed):
                self.assertEqual(CliRunner().invoke(command, typed).exit_code, 0)
                self.assertEqual(given, {**nothing, **expected})
        self.assertEqual(CliRunner().invoke(command, ["--i1", "x"]).exit_code, 2)

    def test_milliseconds(self) -> None:
        """A time that can hardly be seconds is refused, and what it may be is said."""

        @click.command()
        @ranged
        def command(**typed: Any) -> None:
            self.fail("it ran")

        for option in ("--t1", "--t2"):
            done = CliRunner().invoke(command, [option, "1767225600000"])
            self.assertEqual(done.exit_code, 2)
            self.assertIn(f"{option[2:]}=1767225600000.0, which is after the year 9999", done.stderr)
            self.assertIn("these may be milliseconds (of 2026-01-01)", done.stderr)

    def test_backwards(self) -> None:
        """A range that is empty whatever the stream holds is told, and no other."""

        @click.command()
        @ranged
        def command(**typed: Any) -> None:
            pass

        for typed, told in (
            (
                ["--t1", "2026-01-02", "--t2", "2026-01-01"],
                "after --t1 2026-01-02 00:00:00 and up to --t2 2026-01-01 00:00:00",
            ),
            (["--t1", "-1e14", "--t2", "-2e14"], "after --t1 -100000000000000.0 and up to --t2 -200000000000000.0"),
            (["--i1", "5", "--i2", "2"], "from --i1 5 on and before --i2 2"),
            (["--i1", "-2", "--i2", "-2"], "from --i1 -2 on and before --i2 -2"),
            (["--t1", "1", "--t2", "2"], ""),
            (["--i1", "5", "--i2", "0"], ""),
            (["--i1", "5", "--i2", "-2"], ""),
            (["--i1", "-5", "--i2", "2"], ""),
        ):
            with self.subTest(typed):
                done = CliRunner().invoke(command, typed)
                told = told and f"Nothing is {told}.\n"
                self.assertEqual((done.exit_code, done.stdout, done.stderr), (0, "", told))
