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
            (["--t1", "20260101", "--t2", "2026"], {"t1": "20260101", "t2": "2026"}),
            (["--i1", "-5", "--i2", "7"], {"i1": -5, "i2": 7}),
            (["--limit", "3", "--transform", "mean"], {"limit": 3, "transform": "mean"}),
        ):
            with self.subTest(typed):
                self.assertEqual(CliRunner().invoke(command, typed).exit_code, 0)
                self.assertEqual(given, {**nothing, **expected})
        self.assertEqual(CliRunner().invoke(command, ["--i1", "x"]).exit_code, 2)
