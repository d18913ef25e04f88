"""Tests of `connectordb.live.closing`."""

from __future__ import annotations

import os
from unittest import mock

from connectordb.live.closing import Closing, by_its_process
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

    def test_by_its_process(self) -> None:
        """In another process than its own, a child made by fork, closing does nothing."""
        closed: list[str] = []

        class Door(Closing):
            def __init__(self, name: str) -> None:
                self.name = name

            @by_its_process
            def close(self) -> None:
                """Shut it."""
                closed.append(self.name)

        Door("ours").close()
        self.assertEqual((closed, Door.close.__doc__), (["ours"], "Shut it."))
        door = Door("theirs")
        with mock.patch.object(os, "getpid", return_value=os.getpid() + 1), door:
            door.close()
        self.assertEqual(closed, ["ours"])
