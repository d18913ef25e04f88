"""Who acknowledges a command of several callbacks."""

from __future__ import annotations

from unittest import mock

from connectordb.live.handing import claims
from connectordb.live.handing.claims import Claims
from tests.support.case import Case


class ClaimsTests(Case):
    """One claim a command."""

    def test_by_command(self) -> None:
        """Whoever asks for a command's claim gets the same; that of another stream at its index another; old ones are forgotten."""
        commands = Claims()
        self.assertTrue(commands.of((5, 1.0), 1).take())
        self.assertFalse(commands.of((5, 1.0), 1).take())
        self.assertTrue(commands.of((6, 1.0), 1).take())
        self.assertTrue(commands.of((5, 2.0), 1).take())
        with mock.patch.object(claims, "_REMEMBERED", 2):
            commands.of((7, 1.0), 1)
        self.assertTrue(commands.of((5, 1.0), 1).take())
