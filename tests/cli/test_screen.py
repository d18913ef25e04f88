"""What the demo prints on."""

from __future__ import annotations

import io

from rich.console import Console

from connectordb.cli.screen import Screen

from ..pictures.cases import points
from ..support.case import Case


class Printing(Case):
    """A terminal sees everything, a pipe only results."""

    def shown(self, terminal: bool) -> str:
        """Return what a screen shows of one of each."""
        file = io.StringIO()
        screen = Screen(Console(file=file, force_terminal=terminal, width=80, color_system=None, highlight=False))
        screen.heading("A part")
        screen.say("Something happens.")
        screen.point("cpu", 0, 5)
        screen.result(True, "it held [really]")
        screen.result(False, "it did not")
        screen.table(("stream", "what", "points"), [("cpu", "%", "5")])
        screen.chart("CPU", points(4, 5, 6))
        return file.getvalue()

    def test_a_terminal(self) -> None:
        """Everything is shown."""
        shown = self.shown(terminal=True)
        for words in ("A part", "Something happens.", "✓ it held [really]", "✗ it did not", "stream", "CPU"):
            with self.subTest(words):
                self.assertIn(words, shown)

    def test_a_pipe(self) -> None:
        """Only the results, a line each."""
        self.assertEqual(self.shown(terminal=False), "ok: it held [really]\nFAILED: it did not\n")
