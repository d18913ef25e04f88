"""Flushing files and folders, and writing them whole."""

from __future__ import annotations

import os
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.runtime.durable import flush, write

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


class Writing(Case):
    """All of it or nothing."""

    def test_whole(self) -> None:
        """A file is made, or replaced, for its owner only, and is on the disk before it has its name."""
        path = self.folder() / "file"
        for content in (b"first", b"second"):
            with mock.patch.object(os, "fsync", wraps=os.fsync) as fsync:
                write(path, content)
            self.assertEqual((path.read_bytes(), fsync.call_count), (content, 1))
        if os.name != "nt":
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_trouble(self) -> None:
        """What was there stays, and nothing half written is left."""
        path = self.folder() / "file"
        write(path, b"kept")
        for name in ("fsync", "replace"):
            with mock.patch.object(os, name, side_effect=OSError(28, "No space left on device")):
                with self.subTest(name), self.assertRaisesRegex(StorageError, "writing '.*file': No space"):
                    write(path, b"lost")
        self.assertEqual([(each.name, each.read_bytes()) for each in path.parent.iterdir()], [("file", b"kept")])
