"""The database folder."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest import mock

from filelock import FileLock

from connectordb.exceptions import ClosedError, DatabaseInUse, LocalProtocolError, StorageError
from connectordb.runtime import durable
from connectordb.runtime.sqlite import connect
from connectordb.server import database
from connectordb.server.database import Created, Database, Running
from connectordb.server.rights import passwords
from connectordb.server.rights.accounts import Password, confirm, look_up
from connectordb.server.storage import Device, User

from ..support.case import SOON
from ..support.server import DatabaseCase

_ROOT = str(Path(__file__).parents[2])

_SERVING = """
import sys
sys.path.insert(0, sys.argv[2])
from connectordb.server import database
opened = database.open(sys.argv[1])
opened.announce("http://localhost:1")
print("open", flush=True)
sys.stdin.read()
"""


class FolderCase(DatabaseCase):
    """A test case with a path at which there is nothing yet."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory

    def made(self) -> Path:
        """Return a folder with a database."""
        database.create(self.path, test=True)
        return self.path

    def opened(self) -> Database:
        """Open the database, which is closed with the test."""
        opened = database.open(self.path)
        self.addCleanup(opened.close)
        return opened

    def serving(self) -> subprocess.Popen[str]:
        """Return another process that has the database open."""
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVING, str(self.path), _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "open\n")
        return process

    def administrator(self) -> tuple[User, list[Device]]:
        """Return the only user there is, with the devices."""
        with database.open(self.path) as opened:
            (user,) = opened.storage.read(lambda reader: reader.users()).result(SOON)
            return user, opened.storage.read(lambda reader: reader.devices(user.id)).result(SOON)


class Creating(FolderCase):
    """A database is made whole, with an administrator in it."""

    def test_test(self) -> None:
        """With ``test`` the administrator is ``test``, with that password."""
        self.assertEqual(database.create(self.path, test=True), Created("test", None))
        user, devices = self.administrator()
        self.assertEqual((user.name, user.email, user.role, user.public), ("test", "test@localhost", "admin", False))
        self.assertTrue(passwords.verify_password("test", user.password))
        self.assertEqual([device.name for device in devices], ["user", "meta"])

    def test_user(self) -> None:
        """A user who is given gets the name, password and address given, and is an administrator."""
        self.assertEqual(database.create(self.path, user="mara", password="p"), Created("mara", None))
        user, _ = self.administrator()
        self.assertEqual((user.name, user.email, user.role, user.public), ("mara", "root@localhost", "admin", False))
        self.assertTrue(passwords.verify_password("p", user.password))

    def test_password_made_up(self) -> None:
        """A password that is not given is made up, told, and works."""
        made = database.create(self.path, user="mara", email="mara@example.org")
        assert made.password is not None
        self.assertGreaterEqual(len(made.password), 16)
        with database.open(self.path) as opened:
            login = Password("mara@example.org", made.password)
            claim = opened.storage.read(lambda reader: look_up(reader, login)).result(SOON)
        self.assertEqual(confirm(claim).path, "mara/user")

    def test_name_made_up(self) -> None:
        """Without a name the administrator is called as you are on this machine, if that will do."""
        for own, expected in (
            ("mara", "mara"),
            ("root", "owner"),
            ("Mara Berg", "owner"),
            (KeyError(), "owner"),
            ("", "owner"),
        ):
            with self.subTest(own=own):
                with mock.patch.object(database.getpass, "getuser", side_effect=[own]):
                    path = self.folder() / "db"
                    self.assertEqual(database.create(path, password="p"), Created(expected, None))

    def test_existing(self) -> None:
        """What exists is left alone, whatever it is."""
        self.path.mkdir()
        file = self.path.parent / "file"
        file.write_text("kept")
        dangling = self.path.parent / "link"
        dangling.symlink_to("nowhere")
        for path in (self.path, file, dangling):
            with self.assertRaisesRegex(
                StorageError, "^Cannot initialize database in an existing directory: .*(give|start)"
            ):
                database.create(path, test=True)
        self.assertEqual(file.read_text(), "kept")
        self.assertEqual(list(self.path.iterdir()), [])

    def test_bad_input(self) -> None:
        """Bad names, passwords and addresses are refused before anything is made."""
        for arguments, message in (
            ({"user": "admin"}, "'admin' is a reserved name"),
            ({"user": "a/b"}, "'a/b' cannot be the name"),
            ({"user": "mara", "password": ""}, "empty password"),
            ({"user": "mara", "email": "nobody"}, "'nobody' is no email address"),
        ):
            with self.subTest(arguments=arguments), self.assertRaisesRegex(LocalProtocolError, message):
                database.create(self.path, **arguments)  # type: ignore[arg-type]
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_impossible(self) -> None:
        """Where no folder can be made, the error says so."""
        file = self.path.parent / "file"
        file.write_text("")
        with self.assertRaisesRegex(StorageError, "making.*file/db"):
            database.create(file / "db", test=True)

    def test_half(self) -> None:
        """If making it fails, there is nothing."""
        with mock.patch.object(database, "create_user", side_effect=StorageError("on purpose")):
            with self.assertRaisesRegex(StorageError, "on purpose"):
                database.create(self.path, test=True)
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_private(self) -> None:
        """Nobody else may look into the folder or read its files, whatever the umask."""
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.made()
        self.opened().announce("http://localhost:1")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o700)
        modes = {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in self.path.iterdir()}
        self.assertEqual(set(modes.values()), {"0o600"}, modes)
        self.assertIn("connectordb.pid", modes)


class Opening(FolderCase):
    """A database folder is open in one server at a time."""

    def test_no_database(self) -> None:
        """What is no database folder is refused, saying what it is and how to make one."""
        file = self.path.parent / "file"
        file.write_text("")
        for path, found in (
            (self.path, "nothing there"),
            (file, "it is a file"),
            (file.parent, "no connectordb.db in it"),
        ):
            for function in (database.open, database.running):
                with self.subTest(path=path), self.assertRaisesRegex(StorageError, f"{found}.*connectordb create"):
                    function(path)
        self.assertEqual(list(self.path.parent.iterdir()), [file], "nothing was made")

    def test_emptied(self) -> None:
        """A file that has lost what was in it is no new database, which nobody could log in to."""
        self.path.mkdir()
        (self.path / database.FILE).touch()
        with self.assertRaisesRegex(StorageError, "it is empty.*connectordb restore"):
            database.open(self.path)

    def test_in_use(self) -> None:
        """A second server is refused with the first one's process id, in this process and in another."""
        self.made()
        with database.open(self.path):
            with self.assertRaisesRegex(DatabaseInUse, f"process id {os.getpid()}.*stop"):
                database.open(self.path)
        process = self.serving()
        with self.assertRaisesRegex(DatabaseInUse, f"process id {process.pid};"):
            database.open(self.path)
        self.assertEqual(database.running(self.path), Running(process.pid, "http://localhost:1"))
        process.communicate("", SOON)
        self.assertIsNone(database.running(self.path))
        self.opened()

    def test_killed(self) -> None:
        """What a killed server left behind stops nobody, and is not taken for a running one."""
        self.made()
        process = self.serving()
        process.send_signal(signal.SIGKILL)
        process.wait(SOON)
        self.assertTrue((self.path / "connectordb.pid").exists())
        self.assertIsNone(database.running(self.path))
        self.opened()
        self.assertEqual(database.running(self.path), Running(os.getpid(), None))

    def test_asking(self) -> None:
        """Asking who has a folder does not keep a server from opening it."""
        self.made()
        lock = FileLock(self.path / "connectordb.lock", thread_local=False)
        lock.acquire()
        with mock.patch.object(database, "_LOCK_PATIENCE", SOON):
            letting_go = threading.Thread(target=lambda: (tried.wait(SOON), lock.release()))
            tried = threading.Event()
            acquire = FileLock.acquire

            def tell(self: FileLock, *args: Any, **kwargs: Any) -> Any:
                tried.set()
                return acquire(self, *args, **kwargs)

            letting_go.start()
            with mock.patch.object(FileLock, "acquire", tell), database.open(self.path):
                letting_go.join(SOON)

    def test_status_unreadable(self) -> None:
        """If the lock is held and the note of who holds it cannot be read, that is said of somebody unnamed."""
        self.made()
        self.opened()
        for text in ("", "[]", '{"pid": "x", "url": null}', "{}"):
            (self.path / "connectordb.pid").write_text(text)
            self.assertIsNone(database.running(self.path))
            with self.assertRaisesRegex(DatabaseInUse, "another server"):
                database.open(self.path)

    def test_full(self) -> None:
        """On a full disk, opening says what could not be written, leaves nothing behind, and the folder to others."""
        self.made()
        before = sorted(os.listdir(self.path))
        with (
            mock.patch.object(durable.os, "replace", side_effect=OSError(errno.ENOSPC, "No space left on device")),
            self.assertRaisesRegex(StorageError, "connectordb.pid.*No space left"),
        ):
            database.open(self.path)
        self.assertEqual([name for name in os.listdir(self.path) if not name.endswith(".lock")], before)
        self.opened().close()

    def test_only_to_read(self) -> None:
        """On a disk that can only be read no server runs: what only reads may go on."""
        self.made()
        error = OSError(errno.EROFS, "Read-only file system")
        with mock.patch.object(FileLock, "acquire", side_effect=error):
            self.assertIsNone(database.running(self.path))
            with self.assertRaisesRegex(StorageError, "Read-only file system"):
                database.open(self.path)

    def test_close(self) -> None:
        """Closing ends the storage, may be repeated, and leaves the folder as it was."""
        before = sorted(file.name for file in self.made().iterdir())
        opened = database.open(self.path)
        self.assertEqual(opened.directory, self.path)
        opened.close()
        opened.close()
        with self.assertRaises(ClosedError):
            opened.storage.read(lambda reader: None)
        self.assertEqual(sorted(file.name for file in self.path.iterdir() if file.suffix != ".lock"), before)

    def test_repeated_close(self) -> None:
        """Closing a second time does not touch the server that has the folder by then."""
        self.made()
        first = database.open(self.path)
        first.close()
        self.opened().announce("http://localhost:2")
        first.close()
        self.assertEqual(database.running(self.path), Running(os.getpid(), "http://localhost:2"))

    def test_newer(self) -> None:
        """A folder of a newer version is refused, and free for that version."""
        self.made()
        connection = connect(self.path / "connectordb.db")
        connection.pragma("user_version", 99)
        connection.close()
        with self.assertRaisesRegex(StorageError, "newer version"):
            database.open(self.path)
        self.assertIsNone(database.running(self.path))
        self.assertFalse((self.path / "connectordb.pid").exists())

    def test_status(self) -> None:
        """The file for the command line is JSON, and goes with the server."""
        self.made()
        with database.open(self.path) as opened:
            opened.announce("http://localhost:3124")
            status = json.loads((self.path / "connectordb.pid").read_text())
            self.assertEqual(status, {"pid": os.getpid(), "url": "http://localhost:3124"})
        self.assertFalse((self.path / "connectordb.pid").exists())
