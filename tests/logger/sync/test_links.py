"""Tests of `connectordb.logger.sync.links`."""

from __future__ import annotations

import ssl
from pathlib import Path
from unittest import mock

from connectordb import ConnectorDB
from connectordb.exceptions import CertificateRefused, LocalProtocolError
from connectordb.logger import Logger
from connectordb.logger.clocks.judgement import BOUND
from connectordb.logger.sync.links import Connection, Link, WrongClock, check_address
from connectordb.protocol import rest
from tests.support import logger_cases
from tests.support.case import Case
from tests.support.clock import SteppedClock
from tests.support.logger_cases import LoggerCase
from tests.support.wire import Peer, answer


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


class CertificateTests(Case):
    """A certificate that is refused may be the clock's fault."""

    def setUp(self) -> None:
        super().setUp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(logger_cases.__file__).parent / "localhost.pem")
        self.peer = Peer(otherwise=answer("ok"), context=context)
        self.addCleanup(self.peer.close)

    def refused(self, wall: float, known: float = 0.0) -> CertificateRefused:
        connection = ConnectorDB("key", url=self.peer.url, connect=False)
        self.addCleanup(connection.close)
        link = Link(self.peer.url, "key", connection, lambda: known, SteppedClock(wall))
        with self.assertRaises(CertificateRefused) as caught:
            link.call(rest.whoami())
        return caught.exception

    def test_wrong_clock(self) -> None:
        """A clock that cannot be right is told, with what it shows and with what the certificate was refused for."""
        for wall, shown in [(42.0, "1970-01-01 00:00"), (-86_400.0, "1969-12-31 00:00"), (9.5e8, "2000-02-08 08:53")]:
            with self.subTest(wall=wall):
                error = self.refused(wall)
                self.assertIsInstance(error, WrongClock)
                self.assertRegex(str(error), f"this machine's clock says {shown} UTC, which cannot.*no TLS connection")
        self.assertIsInstance(self.refused(1.7e9, known=1.7e9 + BOUND + 1), WrongClock)

    def test_not_the_clock(self) -> None:
        """With a clock that may be right, it is the certificate."""
        for known in (0.0, 1.7e9 + 60):
            with self.subTest(known=known):
                self.assertNotIsInstance(self.refused(1.7e9, known), WrongClock)

    def test_logger(self) -> None:
        """A Logger says so, keeps its points, and tries again within a minute, however long its period is."""
        clock = SteppedClock(42.0)
        with mock.patch("connectordb.logger.logger.SYSTEM", clock):
            logger = Logger(self.folder() / "a.db", apikey="key")
        self.addCleanup(logger.close)
        logger.serverurl, logger.syncperiod = self.peer.url, 1e5
        logger.addStream("s", {"type": "number"})
        logger.insert("s", 1)
        for _ in range(12):
            logger.sync()
        status = logger.status()
        self.assertIn("this machine's clock says 1970-01-01 00:0", status.error or "")
        self.assertEqual(status.waiting, 1)
        self.assertLessEqual(logger._syncing._pause, 60.0)
