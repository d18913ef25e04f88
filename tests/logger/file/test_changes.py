"""Tests of `connectordb.logger.file.changes`."""

from __future__ import annotations

import threading
from unittest import mock

from connectordb.logger.file import changes
from connectordb.logger.file.changes import Changes
from tests.support.case import MS, SOON, Case


class ChangesTests(Case):
    """Who waits is woken, or looks again by himself."""

    def setUp(self) -> None:
        super().setUp()
        self.changes = Changes()

    def test_holds_already(self) -> None:
        """What holds is not waited for."""
        self.assertTrue(self.changes.wait(lambda: True, 0.0))
        self.assertFalse(self.changes.wait(lambda: False, 0.0))

    def test_woken(self) -> None:
        """A change in this process wakes at once, also one that comes just after the look."""
        happened: list[int] = []

        def look() -> bool:
            if not happened:
                happened.append(1)
                self.changes.tell()
                return False
            return True

        with mock.patch.object(changes, "PERIOD", SOON):
            self.assertTrue(self.changes.wait(look, SOON / 2))

    def test_others(self) -> None:
        """A change that nobody tells of is found by looking again."""
        happened = threading.Event()
        threading.Timer(5 * MS, happened.set).start()
        with mock.patch.object(changes, "PERIOD", 2 * MS):
            self.assertTrue(self.changes.wait(happened.is_set, SOON))

    def test_error(self) -> None:
        """What cannot be looked at is told, and nobody waits any more."""
        with self.assertRaises(ZeroDivisionError):
            self.changes.wait(lambda: bool(1 / 0), SOON)
        self.assertEqual(self.changes._waiting, [])
