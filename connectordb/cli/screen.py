"""`Screen`: prints the demo's texts, tables and charts; only results if standard output is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..pictures import of_points
from ..protocol.points import Datapoint


class Screen:
    """
    Prints what the demo tells.

    At a terminal everything is shown; otherwise only the results, a line each, so that a log stays short.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self.lively = self._console.is_terminal

    def heading(self, text: str) -> None:
        """Begin a part of the story."""
        if self.lively:
            self._console.print(f"\n[bold]{escape(text)}[/bold]")

    def say(self, text: str) -> None:
        """Say what happens next."""
        if self.lively:
            self._console.print(Padding(escape(text), (0, 0, 0, 2)))

    def point(self, stream: str, t: float, value: object) -> None:
        """Show a point that has arrived."""
        if self.lively:
            clock = datetime.fromtimestamp(t).strftime("%H:%M:%S.%f")[:-4]
            self._console.print(f"    [dim]{clock}[/dim]  {stream:<8} {escape(str(value))}")

    def result(self, held: bool, text: str) -> None:
        """Show the result of a comparison, and whether it *held*."""
        if self.lively:
            line = Table.grid(padding=(0, 1))
            line.add_row(" ", "[green]✓[/green]" if held else "[red]✗[/red]", escape(text))
            self._console.print(line)
        else:
            self._console.print(f"{'ok' if held else 'FAILED'}: {escape(text)}", soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show a table; all columns after the first two are numbers."""
        if self.lively:
            table = Table(*columns[:2], box=None, padding=(0, 2), header_style="bold")
            for column in columns[2:]:
                table.add_column(column, justify="right")
            for row in rows:
                table.add_row(*row)
            self._console.print(table)

    def chart(self, title: str, points: Sequence[Datapoint]) -> None:
        """Draw points as ``connectordb plot`` does."""
        if not self.lively or len(points) < 2:
            return
        try:
            from .terminal_chart import chart
        except ModuleNotFoundError:
            self.say("(a chart would stand here: pip install plotext)")
            return
        drawn = chart(of_points(points, title), min(self._console.width, 92), not self._console.no_color)
        self._console.print(Text.from_ansi(drawn.rstrip()))
