"""Tables for rich."""

from __future__ import annotations

import io
import unittest

from connectordb import DatapointArray
from connectordb.display import Sheet, to_rich

from ..support.case import Case

try:
    from rich.console import Console
except ImportError:
    Console = None  # type: ignore[assignment, misc]


@unittest.skipIf(Console is None, "rich is not installed")
class Terminal(Case):
    """What rich prints."""

    def test_printed(self) -> None:
        """Every row is there, and brackets are no markup."""
        out = io.StringIO()
        Console(file=out, width=100).print(DatapointArray([{"t": 1.7e9, "d": "[red]x[/red]"}, {"t": 1.7e9, "d": 5}]))
        lines = out.getvalue().splitlines()
        self.assertEqual(lines[0].strip(), "DatapointArray")
        self.assertTrue(any("[red]x[/red]" in line for line in lines))
        self.assertEqual(lines[-1].strip(), "2 datapoints")

    def test_control(self) -> None:
        """What others have named cannot write to the terminal; lines stay lines."""
        out = io.StringIO()
        Console(file=out, width=100).print(to_rich(Sheet("title", ("a",), (("\x1b[2Jx\x9b1m\nsecond",),))))
        lines = [line.strip() for line in out.getvalue().splitlines()]
        self.assertTrue({"·[2Jx·1m", "second"} <= {*lines}, lines)

    def test_nothing(self) -> None:
        """No points are a line."""
        out = io.StringIO()
        Console(file=out, width=100).print(DatapointArray())
        self.assertEqual(out.getvalue(), "DatapointArray\n0 datapoints\n")
