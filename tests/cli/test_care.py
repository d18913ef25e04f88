"""``check``, ``backup`` and ``restore``."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from connectordb import ConnectorDB

from ..support.case import Case
from ..support.command_line import connectordb


class Care(Case):
    """A database is looked after while its server runs, and brought back."""

    def setUp(self) -> None:
        super().setUp()
        self.directory = self.folder() / "db"
        connectordb("create", self.directory, "--test")

    def test_while_it_runs(self) -> None:
        """A running server's database is checked and backed up; restored, it has what it had."""
        url = connectordb("start", self.directory, "--port", 0).stdout.split()[2]
        self.addCleanup(connectordb, "stop", self.directory)
        with ConnectorDB("test", "test", url=url) as cdb:
            cdb("test/user/x").create({"type": "number"})
            cdb("test/user/x").insert(5)
            done = connectordb("check", self.directory)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\A\d streams, \d points: nothing is wrong.\n\Z")
            backup = self.directory.parent / "backup"
            done = connectordb("backup", self.directory, backup)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("A backup, checked: ", done.stdout)
            cdb("test/user/x").insert(6)
        refused = connectordb("restore", self.directory, backup, "--force")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"in use by the server with process id \d+; stop it first")
        connectordb("stop", self.directory)
        restored = connectordb("restore", self.directory, backup, "--force")
        self.assertEqual((restored.returncode, restored.stderr), (0, ""))
        self.assertIn("before-restore", restored.stdout)
        url = connectordb("start", self.directory, "--port", 0).stdout.split()[2]
        with ConnectorDB("test", "test", url=url) as cdb:
            self.assertEqual([point["d"] for point in cdb("test/user/x")[:]], [5])

    def test_damage(self) -> None:
        """What is wrong is a line each on standard output, and the status tells scripts."""
        with closing(sqlite3.connect(self.directory / "connectordb.db")) as connection:
            connection.execute("UPDATE devices SET user_id = 99")
            connection.commit()
        done = connectordb("check", self.directory)
        self.assertEqual(done.returncode, 1)
        first, second, last = done.stdout.splitlines()
        self.assertEqual(first, "devices: the row with the id 1 belongs to a row of users that is not there")
        self.assertEqual(last, "0 streams, 0 points: 2 faults.")
        refused = connectordb("backup", self.directory, self.directory.parent / "backup")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no backup was written", refused.stderr)
        self.assertFalse((self.directory.parent / "backup").exists())

    def test_salvage(self) -> None:
        """What can be read is brought out and imported; what was lost is told, and the status tells scripts."""
        out, again = self.directory.parent / "out", self.directory.parent / "again"
        done = connectordb("check", self.directory, "--salvage", out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1 users, 2 devices, 0 streams, 0 points", done.stdout)
        self.assertIn("nothing was lost", done.stdout)
        refused = connectordb("check", self.directory, "--salvage", out)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("there already", refused.stderr)
        imported = connectordb("import", again, out)
        self.assertEqual((imported.returncode, imported.stderr), (0, ""))
        with open(self.directory / "connectordb.db", "r+b") as file:
            file.write(b"\0" * 4096)
        done = connectordb("check", self.directory, "--salvage", self.directory.parent / "second")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("users: cannot be read to the end", done.stdout)
        self.assertIn("1 users, 2 devices, 0 streams", done.stdout)
        connectordb("start", again, "--port", 0)
        self.addCleanup(connectordb, "stop", again)
        refused = connectordb("check", again, "--salvage", self.directory.parent / "third")
        self.assertRegex(refused.stderr, r"a server runs on .* \(process \d+\): stop it first")
