"""What commands that ask a server have in common."""

from __future__ import annotations

import click

from connectordb import AuthenticationError, ConnectorDB, LocalProtocolError, Stream
from connectordb.cli.connection import stream, thing

from ..support.case import Case
from ..support.command_line import here
from .test_login import LoginCase


class Paths(Case):
    """What a path means."""

    def test_thing(self) -> None:
        """As many names as it has, and slashes around it are no matter."""
        with ConnectorDB(connect=False, anonymous=True) as cdb:
            kinds = [type(thing(cdb, path)).__name__ for path in ("a/", "a/b/", "/a/b/c", "a/b/c/downlink")]
            self.assertEqual(kinds, ["User", "Device", "Stream", "Stream"])
            with self.assertRaises(LocalProtocolError):
                thing(cdb, "a/b/c/d")

    def test_stream(self) -> None:
        """A user or a device is no stream."""
        with ConnectorDB(connect=False, anonymous=True) as cdb:
            self.assertIsInstance(stream(cdb, "a/b/c"), Stream)
            with self.assertRaisesRegex(click.UsageError, "is no stream"):
                stream(cdb, "a/b")


class Nobody(LoginCase):
    """Who forgot to log in."""

    def test_hint(self) -> None:
        """What nobody may do is told with what to do about it, in one line; who has a key that is none, which it is."""
        self.set(CONNECTORDB_URL=self.url, CONNECTORDB_PROFILE_FILE="")
        for arguments in (("ls", "mara/user"), ("cat", "mara/user/x"), ("cat", "x"), ("merge", "mara/user/x")):
            with self.subTest(arguments):
                done = here(*arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
                self.assertIn("nobody is logged in here: connectordb login", done.stderr)
        with self.assertRaises(AuthenticationError):  # which is shown with its traceback
            here("--debug", "cat", "mara/user/x")
        self.set(CONNECTORDB_APIKEY="wrong")
        told = here("ls", "mara/user").stderr
        self.assertNotIn("nobody", told)
        self.assertIn("not accepted is the API key (CONNECTORDB_APIKEY): connectordb login", told)
