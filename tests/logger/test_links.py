"""Tests of `connectordb.logger.links`."""

from __future__ import annotations

from connectordb.exceptions import LocalProtocolError
from connectordb.logger.links import Connection, Link, check_address
from connectordb.protocol import rest
from tests.support.logger_cases import LoggerCase


class LinkTests(LoggerCase):
    """The Logger's connection logs in when it is used, and tells of a new key."""

    def test_reset(self) -> None:
        """A key that is reset is handed to who keeps it, and the connection goes on with it."""
        kept: list[str] = []
        connection = Connection(self.key, self.proxy.url, kept.append)
        self.addCleanup(connection.close)
        self.assertEqual(self.proxy.requests, [])
        self.assertEqual([connection.reset_apikey()], kept)
        self.assertEqual(str(Link(self.proxy.url, kept[0], connection).call(rest.whoami())), self.room)

    def test_address(self) -> None:
        """An address that is none is refused without a request."""
        check_address(self.proxy.url)
        self.assertEqual(self.proxy.requests, [])
        for bad in ("", "ht tp", "ftp://x", "http://"):
            with self.subTest(bad=bad), self.assertRaises(LocalProtocolError):
                check_address(bad)
