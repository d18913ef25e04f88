"""Tests of `connectordb.runtime.checkpoints`."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import apsw

from connectordb.runtime.checkpoints import write_back, write_back_beside
from connectordb.runtime.sqlite import connect

from ..support.case import Case


class CheckpointTests(Case):
    """A file with a log that holds something."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.writer, self.other = connect(self.path), connect(self.path)
        for connection in (self.writer, self.other):
            self.addCleanup(connection.close)
        self.writer.execute("CREATE TABLE a (x)")
        self.log = Path(f"{self.path}-wal")
        self.salts = self.log.read_bytes()[16:24]

    def test_beside(self) -> None:
        """It is written back in the midst of a transaction, as far as was committed; then the log is begun anew."""
        before = self.path.read_bytes()
        with self.writer:
            self.writer.execute("INSERT INTO a VALUES (1)")
            write_back_beside(self.other)
        self.assertNotEqual(self.path.read_bytes(), before)
        write_back_beside(self.other)
        self.writer.execute("INSERT INTO a VALUES (2)")
        self.assertNotEqual(self.log.read_bytes()[16:24], self.salts)

    def test_somebody_else(self) -> None:
        """Who finds that somebody else does it just now leaves it to him."""
        other = mock.Mock()
        other.wal_checkpoint.side_effect = apsw.BusyError("locked")
        write_back_beside(other)
        other.wal_checkpoint.assert_called_once()

    def test_alone(self) -> None:
        """With nobody else there the log is empty afterwards."""
        self.other.close()
        write_back(self.writer)
        self.assertEqual(self.log.read_bytes(), b"")
