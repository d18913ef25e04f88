"""How far something has come."""

from __future__ import annotations

import io
import os
import signal
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

    @unittest.skipUnless(hasattr(signal, "SIGHUP"), "Windows ends a process otherwise")
    def test_ended(self) -> None:
        """Who is told to end tidies up; a signal that is ignored stays so."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with self.assertRaises(SystemExit) as caught, redirect_stderr(io.StringIO()), shown("Exporting"):
                os.kill(os.getpid(), signal.SIGHUP)
                os.kill(os.getpid(), signal.SIGTERM)
                self.fail("it went on")
        finally:
            self.assertIs(signal.signal(signal.SIGHUP, before), signal.SIG_IGN)
        self.assertEqual(caught.exception.code, 143)
        self.assertIs(signal.getsignal(signal.SIGTERM), signal.SIG_DFL)

    def test_pipe(self) -> None:
        """A log stays short."""
        seen = io.StringIO()
        with redirect_stderr(seen), shown("Exporting") as tell:
            tell("mara/lamp", 1, 4)
        self.assertEqual(seen.getvalue(), "")
