"""``user``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from connectordb.server import create, database
from connectordb.server.rights.accounts import Password, confirm, look_up

from ..support.case import SOON
from ..support.command_line import command, environment, here
from ..support.server import DatabaseCase
from ..support.terminal import answered


class Users(DatabaseCase):
    """Whoever lost the administrator's password gets in again."""

    def setUp(self) -> None:
        super().setUp()
        create(self.directory, test=True)

    def ran(self, *arguments: str, stdin: str = "", status: int = 0) -> str:
        """Run a command in this process, with its standard input a pipe; return all that it said."""
        done = here("user", self.directory, *arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, done)
        return done.stdout + done.stderr

    def logs_in(self, name: str, password: str) -> None:
        """Log in."""
        with database.open(self.directory) as opened:
            claim = opened.storage.read(lambda reader: look_up(reader, Password(name, password))).result(SOON)
        self.assertEqual(confirm(claim).path, f"{name}/user")

    def test_lost_password(self) -> None:
        """A new one is read from standard input, and not shown."""
        told = self.ran("password", "test", "--password-stdin", stdin="new secret\n")
        self.assertNotIn("new secret", told)
        self.logs_in("test", "new secret")

    def test_never_an_argument(self) -> None:
        """A password on the command line is refused, and so is none."""
        self.ran("password", "test", "secret", status=2)
        told = self.ran("password", "test", status=2)
        self.assertIn("--password-stdin", told)
        self.assertIn("list, add, password, role or remove", here("user", "list").stderr)
        self.ran("password", "test", "--password-stdin", stdin="\n", status=2)
        self.logs_in("test", "test")

    def test_add_and_list(self) -> None:
        """Users are added and listed, for people and for programs."""
        self.ran("add", "mara", "--email", "mara@example.org", "--role", "admin", "--password-stdin", stdin="secret\n")
        self.logs_in("mara", "secret")
        self.assertEqual(
            self.ran("list"),
            "mara  admin  mara@example.org  private  2 devices\ntest  admin  test@localhost    private  2 devices\n",
        )
        listed = json.loads(self.ran("list", "--json"))
        self.assertEqual(
            listed[0],
            {
                "name": "mara",
                "email": "mara@example.org",
                "role": "admin",
                "public": False,
                "devices": 2,
                "password": True,
            },
        )
        self.assertNotIn("scrypt", json.dumps(listed))

    def test_role_and_remove(self) -> None:
        """Roles are changed and users removed; without a terminal a removal needs --yes."""
        self.ran("add", "mara", "--email", "m@example.org", "--password-stdin", stdin="secret\n")
        self.ran("role", "mara", "admin")
        self.assertIn("--yes", self.ran("remove", "test", status=2))
        self.ran("remove", "test", "--yes")
        self.assertIn("last administrator", self.ran("remove", "mara", "--yes", status=1))
        self.ran("remove", "mara", "--yes", "--force")
        self.assertEqual(self.ran("list"), "")

    def test_running(self) -> None:
        """While the server runs users are listed, and nothing is changed."""
        with database.open(self.directory):
            self.assertIn("test", self.ran("list"))
            self.assertIn("connectordb stop", self.ran("role", "test", "admin", status=1))

    @unittest.skipUnless(hasattr(os, "openpty"), "there are no pseudo-terminals here")
    def test_typed(self) -> None:
        """At a terminal it is asked for twice, and what is typed does not appear."""
        asks = (("New password of test: ", "typed gehëim\n"), ("Again: ", "typed gehëim\n"))
        shown = answered(self, command("user", self.directory, "password", "test"), *asks, env=environment())
        self.assertIn("'test' has a new password.", shown)
        self.assertNotIn("typed", shown)
        self.logs_in("test", "typed gehëim")


class Files(unittest.TestCase):
    """The command is quick to begin."""

    def test_import(self) -> None:
        """Its file is imported when it runs."""
        program = "import sys, connectordb.cli.commands; print('connectordb.cli.accounts' in sys.modules)"
        top = Path(__file__).parent.parent.parent
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=top, timeout=60, check=True
        )
        self.assertEqual(done.stdout, "False\n")
