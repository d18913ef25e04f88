"""How long an answer may be computed."""

from __future__ import annotations

import unittest

from connectordb.exceptions import PipeScriptError
from connectordb.server.handlers.effort import Effort

from ...support.clock import SteppedClock


class Spending(unittest.TestCase):
    """Work counts, waiting does not."""

    def test_pieces(self) -> None:
        """Pieces of work add up; what is between them is free."""
        clock = SteppedClock()
        effort = Effort(10, clock)
        for _ in range(3):
            with effort.spent():
                clock.advance(3)
                effort()
            clock.advance(100)
            effort()
        with self.assertRaisesRegex(PipeScriptError, "longer than 10 s"), effort.spent():
            clock.advance(2)
            effort()
