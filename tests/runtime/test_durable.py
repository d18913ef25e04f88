"""Flushing files and folders."""

from __future__ import annotations

import os
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.runtime.durable import flush

from ..support.case import Case


class Flushing(Case):
    """What was written is on the disk, or that it is not is told."""

    def test_both(self) -> None:
        """Files and folders are flushed, each by itself."""
        folder = self.folder()
        (folder / "file").write_text("x")
        with mock.patch.object(os, "fsync", wraps=os.fsync) as fsync:
            flush(folder / "file")
            flush(folder)
        self.assertEqual(fsync.call_count, 1 if os.name == "nt" else 2)

    def test_trouble(self) -> None:
        """What the system says is passed on, with the name."""
        with mock.patch.object(os, "fsync", side_effect=OSError(5, "Input/output error")):
            with self.assertRaisesRegex(StorageError, "flushing .*: Input/output error"):
                flush(self.folder())
        with self.assertRaisesRegex(StorageError, "absent"):
            flush(self.folder() / "absent")
