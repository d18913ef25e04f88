"""``shell``."""

from __future__ import annotations

import importlib.util
import sys
import unittest

from ..support.command_line import here
from ..support.terminal import typed
from .test_login import LoginCase


class Shells(LoginCase):
    """A prompt with the connection at hand."""

    def setUp(self) -> None:
        super().setUp()
        self.login()

    def test_program(self) -> None:
        """A program runs with what is at hand, and its errors are told as Python tells them."""
        said = f"mara/user <User 'mara' at {self.url}>\n"
        self.assertEqual(self.ran("shell", "-c", "print(device.path, user)"), said)
        self.assertEqual(self.ran("shell", stdin="import sys\nprint(cdb(device.path).path, cdb.user)"), said)
        self.assertEqual(
            self.ran("shell", "-c", "print(Merge, __name__)"), "<class 'connectordb.query.merge.Merge'> __main__\n"
        )
        self.assertEqual(
            self.ran("shell", "-c", "def f():\n    1 / 0\nf()", status=1).splitlines()[:2],
            ["Traceback (most recent call last):", '  File "<program>", line 3, in <module>'],
        )
        self.assertIn("SyntaxError", self.ran("shell", "-c", "for", status=1))
        self.ran("shell", "-c", "raise SystemExit(7)", status=7)

    def test_nobody(self) -> None:
        """Who is not logged in has a connection and no device."""
        self.ran("logout")
        self.set(CONNECTORDB_URL=self.url)
        self.assertEqual(self.ran("shell", "-c", "print(cdb.path, 'device' in globals())"), "nobody False\n")

    def test_no_server(self) -> None:
        """There is no prompt without a server."""
        self.without_pauses()
        self.set(CONNECTORDB_URL="http://127.0.0.1:9", CONNECTORDB_APIKEY="x")
        done = here("shell", "-c", "print(5)")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))

    @unittest.skipIf(sys.platform == "win32", "needs a terminal")
    def test_python(self) -> None:
        """Python's own prompt greets, and completes paths."""
        hidden = "import sys; sys.modules['IPython'] = None; from connectordb.cli.commands import commands; commands(['shell'])"
        shown = typed(
            self,
            ["-c", hidden],
            ("", ">>> "),
            ('cdb("mar\t', "a"),
            ('")\r', f"<User 'mara' at {self.url}>"),
            ("exit()\r", ""),
        )
        self.assertIn(f"You are mara/user at {self.url}. There are cdb, device, user.", shown)

    @unittest.skipUnless(importlib.util.find_spec("IPython"), "needs IPython")
    def test_ipython(self) -> None:
        """So does IPython's."""
        shown = typed(
            self, ["-m", "connectordb", "shell"], ("", "In [1]"), ('cdb("mara/us\t', "er"), ('").path\r', "'mara/user'")
        )
        self.assertIn(f"You are mara/user at {self.url}. There are cdb, device, user.", shown)
