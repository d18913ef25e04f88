"""Tests of `connectordb.live.closing`."""

from __future__ import annotations

from connectordb.live.closing import Closing
from tests.support.case import Case


class ClosingTests(Case):
    """A block with something that closes."""

    def test_block(self) -> None:
        """The block has the object, which is closed at its end, also by an error, and that goes on."""
        closed: list[str] = []

        class Door(Closing):
            def close(self) -> None:
                closed.append("closed")

        door = Door()
        with door as entered:
            self.assertIs(entered, door)
            self.assertEqual(closed, [])
        self.assertEqual(closed, ["closed"])
        with self.assertRaises(ZeroDivisionError), door:
            raise ZeroDivisionError
        self.assertEqual(closed, ["closed"] * 2)
