"""A stream with its range, as queries have it."""

from __future__ import annotations

from connectordb import ConnectorDB
from connectordb.client.session import NOBODYS_PATH
from connectordb.exceptions import InvalidRange, LocalProtocolError
from connectordb.query.stream_query import path_of, stream_query

from ..support.case import Case


class Streams(Case):
    """How a stream may be named."""

    def setUp(self) -> None:
        super().setUp()
        self.cdb = ConnectorDB(url="http://localhost:9", connect=False)
        self.addCleanup(self.cdb.close)
        self.device = self.cdb("mara/lamp")

    def test_spellings(self) -> None:
        """A Stream, a path, and a bare name of the device's own are the same."""
        for stream in (self.device["light"], "mara/lamp/light", "light"):
            with self.subTest(stream):
                self.assertEqual(str(path_of(self.device, stream)), "mara/lamp/light")

    def test_downlinks(self) -> None:
        """A downlink is a stream too."""
        for stream in (self.cdb("mara/lamp/light/downlink"), "mara/lamp/light/downlink"):
            with self.subTest(stream):
                self.assertEqual(str(path_of(self.device, stream)), "mara/lamp/light/downlink")

    def test_what_is_none(self) -> None:
        """A device, a number and a bad name are no streams."""
        for stream, words in (
            ("mara/lamp", "is a device"),
            (5, "is no stream"),
            ("a b", "cannot be the name"),
            (self.device, "is no stream"),
        ):
            with self.subTest(stream), self.assertRaisesRegex(LocalProtocolError, words):
                path_of(self.device, stream)  # type: ignore[arg-type]

    def test_nobody(self) -> None:
        """Who has not logged in has no streams of their own."""
        self.cdb._session._path = NOBODYS_PATH
        with self.assertRaisesRegex(LocalProtocolError, "without logging in"):
            path_of(self.cdb, "light")
        self.assertEqual(str(path_of(self.cdb, "mara/lamp/light")), "mara/lamp/light")

    def test_ranges(self) -> None:
        """Only what was given is sent; mixed kinds are refused."""
        nothing = {"t1": None, "t2": None, "limit": None, "i1": None, "i2": None, "transform": None}
        self.assertEqual(stream_query(self.device, "light", **nothing), {"stream": "mara/lamp/light"})
        self.assertEqual(
            stream_query(self.device, "light", **{**nothing, "i1": -5, "transform": "mean"}),
            {"stream": "mara/lamp/light", "i1": -5, "transform": "mean"},
        )
        self.assertRaises(InvalidRange, stream_query, self.device, "light", **{**nothing, "i1": 1, "t1": 1})
