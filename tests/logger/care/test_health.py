"""Tests of `connectordb.logger.care.health`. (As commands: tests.cli.test_log.)"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.logger import Logger, check, vacuum
from connectordb.logger.care import health
from tests.support.case import Case


class CareTests(Case):
    """A file is checked, and made smaller."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.logger = Logger(self.path)
        self.addCleanup(self.logger.close)
        self.logger.addStream_force("s")
        self.logger.insert_many({"s": [{"t": 1.0 + n, "d": n} for n in range(100)]})

    def test_sound(self) -> None:
        """A file that is in use has nothing wrong."""
        self.assertEqual(check(self.path), [])

    def test_numbers(self) -> None:
        """Rows that are missing are noticed, though the file is whole."""
        self.logger.close()
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("DELETE FROM point WHERE id % 10 = 5")
        (found,) = check(self.path)
        self.assertEqual(found, "s: of 100 points 100 should wait, and 90 do; 0 should be set aside, and 0 are")

    def test_not_ours(self) -> None:
        """What is no Logger's is an error."""
        other = self.folder() / "b.db"
        with closing(sqlite3.connect(other)) as connection, connection:
            connection.execute("CREATE TABLE things (id INTEGER)")
        for path in (other, self.folder() / "none"):
            with self.assertRaises(StorageError):
                check(path)

    def test_large(self) -> None:
        """A large file is not rewritten beneath who uses it, unless that is wanted."""
        with mock.patch.object(health, "_QUICK", 0):
            with self.assertRaisesRegex(StorageError, "end that first"):
                vacuum(self.path)
            vacuum(self.path, anyway=True)
            self.logger.close()
            vacuum(self.path)
        self.assertEqual(check(self.path), [])
