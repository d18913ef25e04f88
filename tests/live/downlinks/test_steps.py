"""Looking in at the steps of a command."""

from __future__ import annotations

from typing import Any

from connectordb.live.downlinks import Step, steps
from tests.support.command_cases import CommandCase


class StepTests(CommandCase):
    """Where a test looks in."""

    def test_order(self) -> None:
        """A command takes its steps in the order in which they are named, those that apply to it."""
        seen: list[Any] = []
        steps.watcher = lambda step, index: seen.append((index, step))
        self.command(True, False)
        self.returns = lambda value: value
        self.drive(self.commands())
        first = [Step.RECEIVED, Step.BEGUN, Step.ACTED, Step.OWED, Step.ACKNOWLEDGED, Step.DONE]
        second = [Step.RECEIVED, Step.BEGUN, Step.ACTED, Step.DONE]
        self.assertEqual(seen, [*((0, step) for step in first), *((1, step) for step in second)])
