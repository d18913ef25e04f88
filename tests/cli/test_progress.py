"""How far something has come."""

from __future__ import annotations

import io
import unittest
from contextlib import redirect_stderr
from unittest import mock

from rich.console import Console

from connectordb.cli import progress
from connectordb.cli.progress import shown


class Shown(unittest.TestCase):
    """In a terminal something moves; a pipe sees nothing."""

    def test_terminal(self) -> None:
        """What is done, and how much of all."""
        seen = io.StringIO()
        console = Console(file=seen, force_terminal=True, width=80)
        with mock.patch.object(progress, "Console", return_value=console), shown("Exporting") as tell:
            tell("mara/lamp", 1, 4)
            console.print("")  # has the line drawn
            tell("checking", 5, 0)
            console.print("")
        self.assertIn("Exporting: mara/lamp, 25 %", seen.getvalue())
        self.assertIn("Exporting: checking", seen.getvalue())

    def test_pipe(self) -> None:
        """A log stays short."""
        seen = io.StringIO()
        with redirect_stderr(seen), shown("Exporting") as tell:
            tell("mara/lamp", 1, 4)
        self.assertEqual(seen.getvalue(), "")
