"""Subscriptions that move along when another of several servers is used: nothing missed, nothing twice."""

from __future__ import annotations

import threading
from unittest import mock

from connectordb import ConnectionFailed, ConnectorDB, Stream
from connectordb.client.calls import servers
from connectordb.live import ConnectionEvent, Live
from tests.support.case import MS
from tests.support.doors import Door
from tests.support.live_cases import FAST, STREAM, PeerCase, Record
from tests.support.target import TargetCase
from tests.support.ws_peer import CLOSE, Peer, frame


class Told(PeerCase):
    """What a `Live` hears of several servers, by which it goes."""

    def setUp(self) -> None:
        super().setUp()
        self.other = Peer()
        self.addCleanup(self.other.close)
        self.present = self.peer.url
        self.unusable: list[str] = []

    def moving(self, is_another: bool = True) -> Live:
        """Return a `Live` that goes from the one peer to the other when the first is no good."""

        def unusable(url: str) -> bool:
            self.unusable.append(url)
            self.present = self.other.url if is_another else self.present
            return is_another

        return self.live(present=lambda: self.present, unusable=unusable)

    def test_says_it_stops(self) -> None:
        """A server that closes as it stops is left at once; nobody who subscribes just then is told of a failure."""
        live, record = self.moving(), Record()
        live.subscribe(STREAM, record, wait=False)
        self.peer.connection().send(frame(CLOSE, b"\x03\xe9the server is stopping"))
        self.assertEqual(self.other.connection().command(), ("subscribe", str(STREAM), ""))
        self.assertEqual(self.unusable, [self.peer.url])

    def test_only_lost(self) -> None:
        """One whose connection was lost may be there yet: it is tried again before another is."""
        live, record = self.moving(), Record()
        live.subscribe(STREAM, record, wait=False)
        self.peer.connection().drop()
        self.peer.connection()
        self.assertEqual(self.unusable, [])

    def test_not_there(self) -> None:
        """One that cannot be reached is left at once; where there is no other, it is tried again after a pause."""
        self.peer.close()
        live, record = self.moving(), Record()
        live.subscribe(STREAM, record, wait=False)
        self.other.connection()
        self.assertEqual(self.unusable, [self.peer.url])
        self.present, self.unusable = self.peer.url, []
        alone = self.moving(is_another=False)
        alone.subscribe(STREAM, record, wait=False)
        self.eventually(lambda: len(self.unusable) > 2)

    def test_move(self) -> None:
        """Who says that another is better has the connection made anew there; the same again changes nothing."""
        live, record = self.moving(), Record()
        live.subscribe(STREAM, record, wait=False)
        here = self.peer.connection()
        here.command()
        live.move()
        self.present = self.other.url
        live.move()
        self.assertEqual(self.other.connection().command(), ("subscribe", str(STREAM), ""))
        self.assertEqual(self.unusable, [])


class Moving(TargetCase):
    """One server behind two doors."""

    def setUp(self) -> None:
        super().setUp()
        soon = mock.patch.object(
            servers, "FIRST_AWAY", 100 * MS
        )  # when the first one is asked again whether it is there
        soon.start()
        self.addCleanup(soon.stop)
        self.written = self.stream()
        self.doors = [Door(self.written._session.url) for _ in range(2)]
        for door in self.doors:
            self.addCleanup(door.shut)

    def watching(self) -> tuple[ConnectorDB, Stream]:
        """Return a connection through both doors, and the stream by it."""
        cdb = ConnectorDB(self.written.device.apikey, url=[door.url for door in self.doors])
        cdb._session.live_options["timing"] = FAST
        self.addCleanup(cdb.close)
        return cdb, cdb(self.written.path)

    def test_moved(self) -> None:
        """When a server goes, requests and subscriptions go on with the other; when it is back, with it again."""
        first, second = self.doors
        cdb, stream = self.watching()
        record, events = Record(), []

        def note(event: ConnectionEvent) -> None:
            events.append(event.server)

        cdb.on_connect(note)
        cdb.on_reconnect(note)
        stream.subscribe(record)
        self.written.insert(1)
        self.eventually(lambda: record.values == [1])
        first.shut()
        for value in (2, 3):
            self.written.insert(value)
        self.eventually(lambda: record.values == [1, 2, 3], "what came while it moved")
        self.assertEqual((cdb.url, len(stream)), (second.url, 3))
        first.open()
        self.eventually(lambda: cdb.url == first.url, "the first to be used again")
        self.written.insert(4)
        self.eventually(lambda: record.values == [1, 2, 3, 4])
        self.eventually(lambda: events == [first.url, second.url, first.url], "the websocket to be where requests go")

    def test_first_is_away(self) -> None:
        """Who subscribes while the first is away is served by the other, at once."""
        self.doors[0].shut()
        cdb, stream = self.watching()
        record = Record()
        stream.subscribe(record)
        self.written.insert("x")
        self.eventually(lambda: record.values == ["x"])
        self.assertEqual(cdb.url, self.doors[1].url)

    def test_only_the_websocket(self) -> None:
        """It is the websocket that finds out if nothing else is asked for, and requests go where it goes."""
        cdb, stream = self.watching()
        record = Record()
        stream.subscribe(record)
        self.doors[0].shut()
        self.written.insert(1)
        self.eventually(lambda: record.values == [1])
        self.assertEqual(cdb.url, self.doors[1].url)

    def test_next(self) -> None:
        """Who says so goes to the next one, with everything, and misses nothing."""
        cdb, stream = self.watching()
        record = Record()
        stream.subscribe(record)
        stop = threading.Event()

        def write() -> None:
            for number in range(50):
                self.written.insert(number)
            stop.set()

        writer = threading.Thread(target=write)
        writer.start()
        cdb.reconnect()
        self.assertEqual(cdb.url, self.doors[1].url)
        cdb.reconnect()
        writer.join(10)
        self.eventually(lambda: len(record.values) >= 50)
        self.assertEqual(record.values, list(range(50)))

    def test_both_away(self) -> None:
        """Where none is there, that is told; and all goes on when one is."""
        cdb, stream = self.watching()
        record = Record()
        stream.subscribe(record)
        for door in self.doors:
            door.shut()
        with self.assertRaises(ConnectionFailed), cdb.options(retry=1):
            len(stream)
        self.written.insert(1)
        self.doors[1].open()
        self.eventually(lambda: record.values == [1])
        with cdb.options(retry=20):
            self.assertEqual(len(stream), 1)
