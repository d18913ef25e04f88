"""A stream's mirror against a real server."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from connectordb import ConnectorDB, Stream
from connectordb.exceptions import LocalProtocolError, NotFound, PointsMissed
from connectordb.live.mirrors.mirror import Mirror
from connectordb.server import Server, create
from tests.live_faults.proxy import LiveProxy
from tests.support.case import MS, SOON, Case
from tests.support.live_cases import FAST
from tests.support.server import cheap_passwords
from tests.support.target import TargetCase, new_name


class StreamTests(TargetCase):
    """A stream's mirror."""

    def setUp(self) -> None:
        super().setUp()
        self.heat = self.stream()
        self.watching = self.person()

    def live(self, stream: Stream | None = None, **options: Any) -> Mirror:
        """Return the mirror of the stream, as another device of the user sees it."""
        path = self.heat.path if stream is None else stream.path
        mirror: Mirror = self.watching(path).live(**options)
        self.addCleanup(mirror.close)
        return mirror

    def test_follows(self) -> None:
        """What is there at the beginning, what comes, and nothing more once it was closed."""
        self.heat.insert_array([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 2}])
        mirror = self.live()
        self.assertEqual((mirror.value, mirror.t, mirror.is_stale), (2, 2.0, False))
        self.heat.insert(3)
        self.assertEqual(mirror.wait_for(lambda value: value == 3, SOON), 3)
        self.assertLess(abs(mirror.age or 1e9), SOON)
        mirror.close()
        mirror.close()
        self.assertEqual((mirror.value, mirror.is_stale, mirror.stale_reason), (3, True, "closed"))

    def test_empty(self) -> None:
        """A stream without points, until the first comes."""
        mirror = self.live()
        self.assertEqual((mirror.value, mirror.stale_reason), (None, None))
        calls: list[Any] = []
        mirror.on_change(lambda old, new: calls.append((old, new)))
        self.heat.insert("first")
        self.eventually(lambda: calls == [(None, "first")])

    def test_number(self) -> None:
        """So many of the last points, those of before and those that come."""
        self.heat.insert_array([{"t": float(number), "d": number} for number in range(1, 11)])
        mirror = self.live(keep=4)
        self.assertEqual(mirror.points()["d"], [7, 8, 9, 10])
        self.heat.insert_array([{"t": 11.0, "d": 11}, {"t": 12.0, "d": 12}])
        mirror.wait_for(lambda value: value == 12, SOON)
        self.assertEqual([point["d"] for point in mirror], [9, 10, 11, 12])

    def test_span(self) -> None:
        """Those of a span; the newest value, if all are older."""
        now = time.time()
        self.heat.insert_array([{"t": now - 7200, "d": 1}, {"t": now - 600, "d": 2}, {"t": now - 5, "d": 3}])
        self.assertEqual(self.live(keep=timedelta(hours=1)).points()["d"], [2, 3])
        self.assertEqual(self.live(keep=60.0).points()["d"], [3])
        old = self.live(keep=1.0)
        self.assertEqual((old.points(), old.value), ([], 3))

    def test_without_network(self) -> None:
        """Reading asks nobody: also with the server out of reach everything is there."""
        self.heat.insert_array([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 20}])
        mirror = self.live(keep=5)
        with (
            mock.patch("socket.socket.connect", side_effect=AssertionError("asked")),
            mock.patch("connectordb.client.session.Session.call", side_effect=AssertionError("asked")),
        ):
            self.assertEqual((mirror.value, mirror.points("if $ > 5")["d"], len(mirror)), (20, [20], 2))
            self.assertEqual((mirror.t, mirror.is_stale, mirror.stale_since), (2.0, False, None))

    def test_refused(self) -> None:
        """What is not there, and what is no number or span."""
        with self.assertRaises(NotFound):
            self.watching(f"{self.user_name}/own/{new_name()}").live()
        with self.assertRaises(LocalProtocolError):
            self.heat.live(keep=0)

    def test_beside_others(self) -> None:
        """A callback of the same stream beside it: both get everything."""
        record: list[Any] = []
        mirror = self.live()
        self.watching(self.heat.path).subscribe(lambda path, points: record.extend(points), add=True)
        self.heat.insert(1)
        self.eventually(lambda: record and mirror.value == 1)

    def test_downlink(self) -> None:
        """A downlink's, by flag or by path; it acknowledges nothing."""
        lamp = self.stream(downlink=True)
        commanded = self.live(lamp, downlink=True)
        self.watching(lamp.path).insert("on")
        self.assertEqual(commanded.wait_for(bool, SOON), "on")
        self.assertEqual(commanded.path, f"{lamp.path}/downlink")
        self.assertEqual(self.watching(f"{lamp.path}/downlink").live().value, "on")
        self.assertEqual(len(lamp), 0)

    def test_belongs_to_itself(self) -> None:
        """Who subscribes to the same stream replaces no mirror, and who unsubscribes ends none."""
        mirror = self.live()
        watched = self.watching(self.heat.path)
        watched.subscribe(lambda path, points: None)
        watched.unsubscribe()
        self.heat.insert(1)
        self.assertEqual(mirror.wait_for(bool, SOON), 1)

    def test_in_a_callback(self) -> None:
        """A callback may have a mirror made, and wait for what it shows, also if it has the only thread."""
        cdb, button, seen = self.connect(self.user_key, threads=1), self.stream(), list[Any]()
        watched = self.stream()
        watched.insert(1)

        def look(path: str, points: Any) -> None:
            with cdb(watched.path).live() as mirror:
                seen.append(mirror.value)
                watched.insert(2)
                seen.append(mirror.wait_for(lambda value: value == 2, SOON))

        cdb(button.path).subscribe(look)
        button.insert("pressed")
        self.eventually(lambda: seen == [1, 2])

    def test_gone(self) -> None:
        """A stream that is deleted leaves its last value, as stale; one that is made anew begins without."""
        self.watching._session.live_options["timing"] = FAST
        self.heat.insert("old")
        mirror = self.live(keep=5)
        self.heat.delete()
        self.eventually(lambda: mirror.stale_reason == "deleted", within=2 * SOON)
        self.assertEqual((mirror.value, mirror.stale_since is None), ("old", False))
        self.watching._session.live._loop.leave()
        self.eventually(lambda: mirror.stale_reason == "connecting")
        self.eventually(lambda: mirror.stale_reason == "deleted", "it says so after a reconnect, too", within=2 * SOON)
        self.heat.create()
        self.heat.insert("new")
        self.eventually(lambda: mirror.value == "new" and not mirror.is_stale, within=2 * SOON)
        self.assertEqual(mirror.points()["d"], ["new"])

    def test_later(self) -> None:
        """With wait=False it fills as it can: here when the stream is made."""
        self.watching._session.live_options["timing"] = FAST
        path = f"{self.user_name}/own/{new_name()}"
        errors: list[Exception] = []
        mirror = self.watching(path).live(wait=False, on_error=errors.append)
        self.addCleanup(mirror.close)
        self.eventually(lambda: errors)
        self.assertEqual((mirror.value, mirror.is_stale), (None, True))
        stream = self.device()(path)
        stream.create()
        stream.insert(1)
        self.assertEqual(mirror.wait_for(bool, 2 * SOON), 1)

    def test_cut(self) -> None:
        """While its websocket is cut again and again a mirror misses nothing, and who is told of changes is told of each once."""
        proxy = LiveProxy(self.url)
        self.addCleanup(proxy.close)
        cdb = ConnectorDB(self.user_key, url=proxy.url)
        self.addCleanup(cdb.close)
        cdb._session.timing = FAST
        mirror, changes = cdb(self.heat.path).live(keep=1000), list[Any]()
        mirror.on_change(lambda old, new: changes.append(new))

        def write(number: int) -> None:
            stream = self.device()(self.heat.path)
            for count in range(30):
                stream.insert([number, count])

        writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            proxy.cut_all()
            writers[0].join(20 * MS)
        self.heat.insert("end")
        mirror.wait_for(lambda value: value == "end", SOON)
        values = self.heat[:]["d"]
        self.assertEqual((len(values), mirror.points()["d"]), (91, values))
        self.eventually(lambda: changes == values)
        cdb.close()

    def test_missed(self) -> None:
        """Of a stream that is not stored a mirror that may have missed a point is stale until the next one."""
        self.heat.ephemeral = True
        proxy = LiveProxy(self.url)
        self.addCleanup(proxy.close)
        cdb = ConnectorDB(self.user_key, url=proxy.url)
        self.addCleanup(cdb.close)
        cdb._session.timing = FAST
        errors: list[Exception] = []
        mirror = cdb(self.heat.path).live(on_error=errors.append)
        self.heat.insert(1)
        self.assertEqual((mirror.wait_for(bool, SOON), mirror.is_stale), (1, False))
        proxy.cut_all()
        self.eventually(lambda: mirror.stale_reason == "points missed")
        self.assertEqual((mirror.value, type(errors[0])), (1, PointsMissed))

        def another() -> bool:
            self.heat.insert(2)  # an original server may not tell of what comes at once
            return not mirror.is_stale

        self.eventually(another)
        self.assertEqual(mirror.value, 2)
        cdb.close()

    def test_connection_closed(self) -> None:
        """After close() of the connection the mirror can still be read."""
        self.heat.insert(1)
        cdb: ConnectorDB = self.person()
        mirror = cdb(self.heat.path).live()
        mirror.on_change(lambda old, new: None)
        cdb.close()
        self.assertEqual(mirror.value, 1)
        mirror.close()


class AwayTests(Case):
    """A server that goes, and comes back."""

    def test_away(self) -> None:
        """While it is away the mirror is stale and can be read; when it is back, what was missed is there, told in order."""
        folder = self.folder() / "database"
        with cheap_passwords():
            create(folder, user="test", password="test")
            server = Server(folder, port=0)
            server.start()
            self.addCleanup(server.close)
            port = urlsplit(server.url).port or 0
            cdb = ConnectorDB("test", "test", url=server.url)
            self.addCleanup(cdb.close)
            cdb._session.live_options["timing"] = FAST
            heat = cdb("test/user/heat")
            heat.create()
            heat.insert(1)
            mirror, calls = heat.live(keep=10), list[Any]()
            mirror.on_change(lambda old, new: calls.append((old, new)))
            server.close()
            self.eventually(lambda: mirror.is_stale)
            since = mirror.stale_since or 0.0
            self.assertLess(abs(time.time() - since), SOON)
            self.assertEqual((mirror.value, mirror.stale_reason), (1, "connecting"))
            with Server(folder, port=port):
                heat.insert_array([{"t": time.time(), "d": number} for number in (2, 3)])
                self.eventually(lambda: calls == [(1, 2), (2, 3)])
                self.eventually(lambda: not mirror.is_stale)
                self.assertEqual(mirror.points()["d"], [1, 2, 3])
                cdb.close()
