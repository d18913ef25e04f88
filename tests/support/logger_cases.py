"""What the tests of the Logger share: a fresh device on a real server, and a proxy before it that breaks things."""

from __future__ import annotations

import threading
from typing import Any

from connectordb import ConnectorDB, Stream
from connectordb.exceptions import ConnectorDBError
from connectordb.logger import Logger
from connectordb.logger.records import Note, Row
from connectordb.logger.rows.store import Store
from connectordb.logger.sync.links import Link
from connectordb.logger.sync.passes import Pass
from connectordb.logger.sync.sending import Report
from connectordb.runtime.clock import SYSTEM

from .case import MS, Case
from .fault_proxy import FaultProxy
from .target import TargetCase

#: Where no server is.
NOWHERE = "http://127.0.0.1:1"

#: So long that nothing is on its way any more, on this machine.
WAIT = 20 * MS


#: More than there ever are.
ALL = 2**62


def add(store: Store, name: str) -> int:
    """Add a stream to the file, and return its id there."""
    store.catalogue.put_stream(name, "{}")
    return {stream.name: stream.id for stream in store.catalogue.streams()}[name]


def waiting(store: Store, stream: int) -> list[Row]:
    """Return all rows of a stream that wait."""
    return store.points.rows(stream << 40, (stream << 40) | (2**40 - 1), ALL, ALL)


def noted(stream: int, rows: list[Row]) -> Note:
    """Return a note on *rows*."""
    return Note(stream, rows[0].id, rows[-1].id, "http://x", "key", "u/d/s", 0, None)


class StoreCase(Case):
    """An open cache file at `path`, with one stream."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.store = Store(self.path)
        self.addCleanup(lambda: self.store.close())
        self.stream = add(self.store, "a")


class LoggerCase(TargetCase):
    """A fresh user with the device ``room``, whose key is `key`, and a proxy at `proxy.url`."""

    #: Whether the server says what it can do beyond 0.3.
    announces = True

    def setUp(self) -> None:
        super().setUp()
        self.administrator = self.admin()
        owner = self.user(devices={"room": {"enabled": True}})
        self.room = f"{owner.path}/room"
        self.key = str(self.administrator(self.room).apikey)
        self.proxy = FaultProxy(self.url)
        self.proxy.announces = self.announces
        self.addCleanup(self.proxy.close)

    def stored(self, stream: str = "s") -> list[Any]:
        """Return the values that the server holds."""
        return [point["d"] for point in self.at(stream)[:]]

    def at(self, stream: str) -> Stream:
        """Return a stream of the device, as the administrator sees it."""
        found: Stream = self.administrator(f"{self.room}/{stream}")
        return found

    def new_stream(self, name: str = "s", schema: Any = None) -> Stream:
        """Return a new stream on the server."""
        stream = self.at(name)
        stream.create(schema or {})
        return stream


class PassCase(LoggerCase):
    """A store with the stream ``s``, which is on the server, and passes through the proxy."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.store = Store(self.path)
        self.addCleanup(lambda: self.store.close())
        self.server_stream = self.new_stream()
        self.id = self.add("s")
        self.links: list[ConnectorDB] = []
        self.server = self.link(self.proxy.url, self.key)
        self.clock = 1000.0

    def add(self, name: str, schema: str = "{}", declared: bool = False) -> int:
        """Add a stream to the file."""
        self.store.catalogue.put_stream(name, schema, {}, declared)
        return {stream.name: stream.id for stream in self.store.catalogue.streams()}[name]

    def link(self, address: str, key: str) -> Link:
        """Return a connection that ends with the test."""
        connection = ConnectorDB(key or None, url=address, connect=False)
        self.addCleanup(connection.close)
        return Link(address, key, connection)

    def log(self, *values: str, stream: int | None = None) -> None:
        """Log values, as JSON text, a second apart."""
        for value in values:
            self.clock += 1
            self.store.points.append(stream or self.id, self.clock, value, 0)

    def run_pass(self) -> Report:
        """Run one pass over what is there now."""
        return Pass(self.store, self.server, self.link, SYSTEM, threading.Event(), WAIT).run(self.store.points.newest())

    def run_passes(self, at_most: int = 4) -> int:
        """Run passes until nothing waits; return how many it took."""
        for number in range(1, at_most + 1):
            try:
                self.run_pass()
            except ConnectorDBError:
                continue
            if not self.store.points.waiting():
                return number
        self.fail(
            f"{self.store.points.waiting()} points still wait after {at_most} passes; set aside: {self.store.aside.points()}"
        )

    def waiting(self, stream: int | None = None) -> list[Row]:
        """Return what waits."""
        id = stream or self.id
        return self.store.points.rows(self.store.held.first_waiting(id), (id << 40) | (2**40 - 1), 2**60, 2**60)

    def assert_adds_up(self) -> None:
        """Every point that was accepted is somewhere."""
        for ledger in self.store.points.ledgers():
            self.assertEqual(
                ledger.accepted,
                ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped + ledger.lost,
                ledger.name,
            )


class OpenCase(LoggerCase):
    """A Logger on a fresh file, for the device behind the proxy."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "cache.db"

    def open(self, *args: Any, url: str = "", **options: Any) -> Logger:
        """Open the file."""
        logger = Logger(self.path, *args, **{"apikey": self.key, **options})
        self.addCleanup(logger.close)
        logger._syncing.patience = WAIT
        logger.serverurl = url or self.proxy.url
        return logger
