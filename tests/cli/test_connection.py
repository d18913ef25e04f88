"""What commands that ask a server have in common."""

from __future__ import annotations

import click

from connectordb import ConnectorDB, LocalProtocolError, Stream
from connectordb.cli.connection import stream, thing

from ..support.case import Case


class Paths(Case):
    """What a path means."""

    def test_thing(self) -> None:
        """As many names as it has, and slashes around it are no matter."""
        with ConnectorDB(connect=False, anonymous=True) as cdb:
            kinds = [type(thing(cdb, path)).__name__ for path in ("a", "a/b/", "/a/b/c", "a/b/c/downlink")]
            self.assertEqual(kinds, ["User", "Device", "Stream", "Stream"])
            with self.assertRaises(LocalProtocolError):
                thing(cdb, "a/b/c/d")

    def test_stream(self) -> None:
        """A user or a device is no stream."""
        with ConnectorDB(connect=False, anonymous=True) as cdb:
            self.assertIsInstance(stream(cdb, "a/b/c"), Stream)
            with self.assertRaisesRegex(click.UsageError, "is no stream"):
                stream(cdb, "a/b")
