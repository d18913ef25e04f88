"""Flushing files and folders, and writing them whole."""

from __future__ import annotations

import errno
import os
import threading
import unittest
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.runtime.durable import flush, replacing, write

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


class Replacing(Case):
    """What is written for long."""

    def test_whole(self) -> None:
        """It has its name at the end; what had it before has it until then."""
        path = self.folder() / "file"
        for before, content in ((None, b"first"), (b"first", b"second")):
            with replacing(path) as file:
                file.write(content)
                self.assertEqual(path.read_bytes() if path.exists() else None, before)
            self.assertEqual(path.read_bytes(), content)
        self.assertEqual(os.listdir(path.parent), ["file"])

    def test_two_at_once(self) -> None:
        """Each is whole, the one that ends last has the name."""
        path = self.folder() / "file"
        with replacing(path) as first:
            first.write(b"one, ")
            with replacing(path) as second:
                second.write(b"two")
            first.write(b"in two parts")
            first.flush()
            self.assertEqual(path.read_bytes(), b"two")
        self.assertEqual(path.read_bytes(), b"one, in two parts")
        self.assertEqual(os.listdir(path.parent), ["file"])

    @unittest.skipIf(os.name == "nt", "no such permissions here")
    def test_permissions(self) -> None:
        """What nobody else might read nobody else may."""
        path = self.folder() / "file"
        path.touch(0o600)
        with replacing(path) as file:
            file.write(b"x")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    @unittest.skipUnless(os.path.exists("/dev/fd"), "no such names here")
    def test_own_pipe(self) -> None:
        """The name of an open pipe, as /dev/stdout is, leads to the pipe."""
        reading, writing = os.pipe()
        with replacing(f"/dev/fd/{writing}") as file:
            file.write(b"x")
        os.close(writing)
        with open(reading, "rb") as other:
            self.assertEqual(other.read(), b"x")

    def test_failure(self) -> None:
        """Whatever ends it, what was there is there, and nothing else; an error has the name that was given."""
        path = self.folder() / "file"
        path.write_bytes(b"kept")
        for error in (ValueError, KeyboardInterrupt, OSError):
            with self.assertRaises(error), replacing(path) as file:
                file.write(b"lost")
                raise error
        self.assertEqual([(each.name, each.read_bytes()) for each in path.parent.iterdir()], [("file", b"kept")])
        with self.assertRaises(OSError) as full, replacing(path) as file:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.assertEqual(full.exception.filename, str(path))
        absent = str(path.parent / "absent" / "file")
        with self.assertRaises(FileNotFoundError) as caught, replacing(absent):
            self.fail("there is no such folder")
        self.assertEqual(caught.exception.filename, absent)
        with self.assertRaises(IsADirectoryError), replacing(path.parent):
            self.fail("it is a folder")

    @unittest.skipUnless(hasattr(os, "mkfifo"), "no such pipes here")
    def test_no_file(self) -> None:
        """What a link leads to is replaced, and not the link; a pipe is written to."""
        folder = self.folder()
        (folder / "link").symlink_to("file")
        with replacing(folder / "link") as file:
            file.write(b"x")
        self.assertEqual(((folder / "file").read_bytes(), (folder / "link").is_symlink()), (b"x", True))
        os.mkfifo(folder / "pipe")
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_bytes()))
        reader.start()
        with replacing(folder / "pipe") as file:
            file.write(b"through it")
        reader.join(5)
        self.assertEqual((read, (folder / "pipe").is_fifo()), ([b"through it"], True))
