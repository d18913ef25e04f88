"""``check``, ``backup`` and ``restore``."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from connectordb import ConnectorDB
from connectordb.server import Server

from ..support.command_line import connectordb, here
from ..support.server import DatabaseCase


def run(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; return its status and what it printed where."""
    done = here(*arguments)
    return done.returncode, done.stdout, done.stderr


class Care(DatabaseCase):
    """A database is looked after while its server runs, and brought back."""

    def setUp(self) -> None:
        super().setUp()
        self.beside = self.directory.parent
        self.assertEqual(run("create", self.directory, "--test")[0], 0)

    def test_while_it_runs(self) -> None:
        """A running server's database is checked and backed up; restored, it has what it had."""
        backup = self.beside / "backup"
        with Server(self.directory) as server, ConnectorDB("test", "test", url=server.url) as cdb:
            cdb("test/user/x").create({"type": "number"})
            cdb("test/user/x").insert(5)
            checked = connectordb("check", self.directory)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))
            self.assertRegex(checked.stdout, r"\A\d streams?, \d points?: nothing is wrong.\n\Z")
            status, out, complaints = run("backup", self.directory, backup)
            self.assertEqual((status, complaints), (0, ""))
            self.assertIn("Backup written and checked: ", out)
            cdb("test/user/x").insert(6)
            status, _, complaints = run("restore", self.directory, backup, "--force")
            self.assertEqual(status, 1)
            self.assertRegex(complaints, rf"in use by the server with process id {os.getpid()}; stop it first")
        self.assertEqual(run("backup", self.directory, backup)[0], 1, "a backup is never written over")
        status, out, complaints = run("restore", self.directory, backup, "--force")
        self.assertEqual((status, complaints), (0, ""))
        self.assertIn("before-restore", out)
        with Server(self.directory) as server, ConnectorDB("test", "test", url=server.url) as cdb:
            self.assertEqual([point["d"] for point in cdb("test/user/x")[:]], [5])

    def test_damage(self) -> None:
        """What is wrong is a line each on standard output, and the status tells scripts."""
        with closing(sqlite3.connect(self.directory / "connectordb.db")) as connection:
            connection.execute("UPDATE devices SET user_id = 99")
            connection.commit()
        status, out, _ = run("check", self.directory)
        self.assertEqual(status, 1)
        first, _, last = out.splitlines()
        self.assertEqual(first, "devices: the row with the id 1 belongs to a row of users that is not there")
        self.assertEqual(last, "0 streams, 0 points: 2 faults.")
        status, _, complaints = run("backup", self.directory, self.beside / "backup")
        self.assertEqual(status, 1)
        self.assertRegex(complaints, r"\AError: no backup was written.*\n\Z")
        self.assertFalse((self.beside / "backup").exists())

    def test_salvage(self) -> None:
        """What can be read is brought out and imported; what was lost is told, and the status tells scripts."""
        out, again = self.beside / "out", self.beside / "again"
        status, told, complaints = run("check", self.directory, "--salvage", out)
        self.assertEqual((status, complaints), (0, ""))
        self.assertIn("1 user, 2 devices, 0 streams, 0 points", told)
        self.assertIn("nothing was lost", told)
        status, _, complaints = run("check", self.directory, "--salvage", out)
        self.assertEqual(status, 1)
        self.assertIn("there already", complaints)
        self.assertEqual(run("import", again, out)[0], 0)
        with open(self.directory / "connectordb.db", "r+b") as file:
            file.write(b"\0" * 4096)
        status, told, complaints = run("check", self.directory, "--salvage", self.beside / "second")
        self.assertEqual((status, complaints), (1, ""))
        self.assertIn("users: cannot be read to the end", told)
        self.assertIn("1 user, 2 devices, 0 streams", told)
        with Server(again):
            status, _, complaints = run("check", again, "--salvage", self.beside / "third")
            self.assertRegex(complaints, rf"a server runs on .* \(process {os.getpid()}\): stop it first")
