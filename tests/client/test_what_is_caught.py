"""
The exceptions that programs catch, row by row of the table that users are given.

What stands in a column "also caught as" is what programs for 0.3.5, or Python's own conventions, catch.
"""

from __future__ import annotations

import jsonschema
import requests

from connectordb import (
    AuthenticationError,
    ConnectionFailed,
    ConnectorDB,
    InvalidRange,
    LocalProtocolError,
    ServerError,
    TimedOut,
)
from connectordb.logger import Logger
from tests.support.case import MS, Case
from tests.support.wire import Peer, Step, Tree, answer, hang_up, refuse, silence


class Caught(Case):
    """What happened, what is raised, what it is also caught as."""

    def connect(self, *steps: Step) -> ConnectorDB:
        """Return a connection to a peer with these steps."""
        peer = Peer(*steps, otherwise=Tree().step)
        self.addCleanup(peer.close)
        cdb = ConnectorDB("key", url=peer.url, connect=False, timeout=(5000 * MS, 500 * MS), retry=1)
        self.addCleanup(cdb.close)
        return cdb

    def test_4xx(self) -> None:
        """Any 4xx is an AuthenticationError with its value in the old form."""
        for status in (400, 401, 403, 404, 405, 409, 413, 422, 429, 499):
            cdb = self.connect(refuse(status, "message", ref="ref"))
            with self.subTest(status), self.assertRaises(AuthenticationError) as caught:
                cdb("mara").refresh()
            self.assertEqual(caught.exception.value, f"{status}: message (ref)")
        for body in (b"", b"<html>", b"{}", b'{"code": "x"}'):
            with self.subTest(body), self.assertRaises(AuthenticationError):
                self.connect(answer(body, 404))("mara").refresh()

    def test_other_answers(self) -> None:
        """Any other failed answer is a ServerError."""
        for step in (
            refuse(500, "message"),
            refuse(503, "ConnectorDB is currently inactive"),
            answer(b"<html>", 502),
            answer(b"", 200),
            answer(b"", 204),
            answer(b"", 302, Location="https://elsewhere.example/"),
        ):
            with self.subTest(step), self.assertRaises(ServerError):
                self.connect(step)("mara").refresh()

    def test_refused_here(self) -> None:
        """What is refused before it was sent is a ValueError too."""
        cdb = self.connect()
        for kind in (LocalProtocolError, ValueError):
            with self.assertRaises(kind):
                cdb("mara/user/x").insert(float("nan"))

    def test_no_answer(self) -> None:
        """No connection, a broken one, or none in time: also as requests has them."""
        for kind in (
            ConnectionFailed,
            requests.exceptions.ConnectionError,
            requests.exceptions.RequestException,
            OSError,
        ):
            with self.subTest(kind), self.assertRaises(kind):
                self.connect(hang_up(), hang_up())("mara").refresh()
        for kind in (TimedOut, ConnectionFailed, requests.exceptions.Timeout, TimeoutError):
            with self.subTest(kind), self.assertRaises(kind):
                self.connect(silence())("mara").refresh()

    def test_ranges(self) -> None:
        """Kinds of range mixed, and limit with an index."""
        stream = self.connect()("mara/user/x")
        for given in ({"i1": 1, "t2": 5}, {"i2": 1, "t1": 5}, {"i1": 1, "limit": 5}, {"i2": 1, "limit": 5}):
            for kind in (InvalidRange, ValueError, AssertionError):
                with self.subTest(given), self.assertRaises(kind):
                    stream(**given)

    def test_index(self) -> None:
        """An index outside is an IndexError."""
        for step in (answer([]), refuse(403, "Invalid index range.")):
            with self.subTest(step), self.assertRaises(IndexError):
                self.connect(step)("mara/user/x")[5]

    def test_schema(self) -> None:
        """A bad schema, and a value that the Logger's schema refuses, are jsonschema's own errors."""
        with self.assertRaises(jsonschema.SchemaError):
            self.connect()("mara/user/x").create({"type": "nosuch"})
        with Logger(self.folder() / "cache.db") as logger:
            with self.assertRaises(jsonschema.SchemaError):
                logger.addStream_force("s", {"type": "nosuch"})
            logger.addStream_force("s", {"type": "number"})
            with self.assertRaises(jsonschema.ValidationError):
                logger.insert("s", "text")
