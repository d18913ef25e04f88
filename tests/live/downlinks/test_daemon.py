"""A daemon as users write one: commands over a connection that is lost, and what the next daemon finds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from connectordb import ConnectorDB, Stream
from connectordb.exceptions import LocalProtocolError, RememberInUse
from connectordb.live import Batch, Subscription, Timing
from connectordb.runtime.backoff import Backoff
from tests.live_faults.proxy import LiveProxy
from tests.support.case import MS, SOON
from tests.support.target import TargetCase, new_name

FAST = Timing(quiet=5.0, answer=5.0, linger=0.1, stable=30, backoff=Backoff(5 * MS, 20 * MS))


class DaemonCase(TargetCase):
    """A daemon of the device ``own``, connected through a proxy."""

    def setUp(self) -> None:
        super().setUp()
        self.proxy = LiveProxy(self.url)
        self.addCleanup(self.proxy.close)
        self.file = self.folder() / "lamp.state"
        self.name = new_name()
        self.device()[self.name].create({}, downlink=True)
        self.stream: Stream = self.person()(f"{self.user_name}/own/{self.name}")
        self.acted: list[Any] = []
        self.errors: list[Exception] = []
        self.may_act = threading.Event()
        self.may_act.set()

    def daemon(self) -> ConnectorDB:
        """Return a daemon's connection."""
        cdb = ConnectorDB(self.device_key, url=self.proxy.url)
        self.addCleanup(cdb.close)
        self.addCleanup(self.may_act.set)
        cdb._session.live_options["timing"] = FAST
        return cdb

    def subscribe(self, cdb: ConnectorDB, **options: Any) -> Subscription:
        """Subscribe to the downlink as a daemon does."""
        return cdb[self.name].subscribe(self.act, downlink=True, on_error=self.errors.append, **options)

    def act(self, path: str, points: Batch) -> bool:
        """Be the callback."""
        (point,) = points
        self.acted.append(point["d"])
        self.wait(self.may_act)
        return True

    def command(self, *values: Any) -> None:
        """Command values, one after the other."""
        for value in values:
            self.stream.insert(value)

    def expect(self, *values: Any) -> None:
        """Expect these to have been acted on and acknowledged, and no others."""
        self.eventually(lambda: self.stream[:].d() == list(values), f"{values} acknowledged")
        self.assertEqual(self.acted, list(values))
        self.assertEqual(self.errors, [])


class ConnectionTests(DaemonCase):
    """A connection that is lost and made again."""

    def away(self, *values: Any) -> None:
        """Lose the connection, command *values* meanwhile, and have it made again."""
        before = self.proxy.opened
        self.proxy.is_away = True
        self.proxy.cut_all()
        self.command(*values)
        self.proxy.is_away = False
        self.proxy.tunnel_after(before)

    def test_each_once(self) -> None:
        """Every command is handled once, also those that come while there is no connection; acknowledged when there is one."""
        self.subscribe(self.daemon())
        self.command(1)
        self.expect(1)
        self.away(2, 3)
        self.expect(1, 2, 3)
        self.command(4)
        self.expect(1, 2, 3, 4)

    def test_missed(self) -> None:
        """Those that waited for the callback when the connection was lost were not missed."""
        choices: tuple[tuple[str, Callable[[int], list[int]]], ...] = (
            ("all", lambda base: [0, 1, 2, 3, 4, 5]),
            ("latest", lambda base: [0, 1, 2, 4, 5]),
            ("none", lambda base: [0, 1, 2, 5]),
        )
        for missed, expected in choices:
            with self.subTest(missed), closing(self.daemon()) as cdb:
                self.acted.clear()
                before = len(self.stream)
                subscription = self.subscribe(cdb, missed=missed)
                self.may_act.clear()
                self.command(0, 1, 2)
                self.eventually(lambda: self.acted == [0] and subscription.lag == 2)  # noqa: B023
                self.away(3, 4)
                self.eventually(lambda: subscription.lag == 4)  # noqa: B023
                self.may_act.set()
                self.command(5)
                self.eventually(lambda: self.acted[-1] == 5)
                self.assertEqual(self.acted, expected(0))
                self.eventually(lambda: self.stream[before:].d() == expected(0))  # noqa: B023


class NextTests(DaemonCase):
    """A daemon that ends, and the next one."""

    def test_goes_on(self) -> None:
        """The next one begins where the last one ended, however it is called; what came between was missed."""
        for missed, expected in (("all", [1, 2, 3]), ("latest", [1, 3]), ("none", [1])):
            with self.subTest(missed):
                self.file.unlink(missing_ok=True)
                self.acted.clear()
                before = len(self.stream)
                with self.daemon() as cdb:
                    self.subscribe(cdb, remember=self.file, missed=missed)
                    self.command(1)
                    self.eventually(lambda: len(self.stream) == before + 1)  # noqa: B023
                self.command(2, 3)
                with self.daemon() as cdb:
                    self.subscribe(cdb, remember=self.file, missed=missed)
                    self.command(4)
                    self.eventually(lambda: self.stream[before:].d() == [*expected, 4])  # noqa: B023
                self.assertEqual(self.acted, [*expected, 4])
                self.assertEqual(self.errors, [])

    def test_first(self) -> None:
        """A first one begins with what comes from now on, and remembers that at once."""
        self.command(1)
        with self.daemon() as cdb:
            self.subscribe(cdb, remember=self.file)
        self.command(2)
        with self.daemon() as cdb:
            self.subscribe(cdb, remember=self.file)
            self.expect(2)

    def test_one_holder(self) -> None:
        """The file has one holder; after it has ended, by whatever means, it is free."""
        first, second = self.daemon(), self.daemon()
        subscription = self.subscribe(first, remember=self.file)
        with self.assertRaises(RememberInUse):
            self.subscribe(second, remember=self.file)
        with self.assertRaises(RememberInUse):
            self.subscribe(first, remember=self.file, add=True)
        self.command(1)
        self.expect(1)
        subscription.close()
        other = self.subscribe(second, remember=self.file)
        second[self.name].unsubscribe(downlink=True)
        other.close()
        self.subscribe(first, remember=self.file)
        first.close()
        with self.assertRaisesRegex(LocalProtocolError, "is about"):
            second[self.name].subscribe(self.act, remember=self.file)
        self.assertEqual(self.errors, [])

    def test_again(self) -> None:
        """A second subscription of the same program with the same file takes the place of the first, as without one."""
        cdb = self.daemon()
        self.subscribe(cdb, remember=self.file)
        self.subscribe(cdb, remember=self.file)
        self.command(1)
        self.expect(1)

    def test_closed_while_acting(self) -> None:
        """Closing waits for the command that is acted on, and for its acknowledgement; the next one is for the next daemon."""
        cdb = self.daemon()
        self.subscribe(cdb, remember=self.file)
        self.may_act.clear()
        self.command(1, 2)
        self.eventually(lambda: self.acted == [1])
        threading.Timer(20 * MS, self.may_act.set).start()
        cdb.close()
        self.assertEqual((self.stream[:].d(), self.acted), ([1], [1]))
        self.subscribe(self.daemon(), remember=self.file)
        self.expect(1, 2)

    def test_closed_while_away(self) -> None:
        """With the server away it ends all the same; what it owes is written by the next one, which does not act again."""
        cdb = self.daemon()
        self.subscribe(cdb, remember=self.file)
        self.may_act.clear()
        self.command(1, 2)
        self.eventually(lambda: self.acted == [1])
        self.proxy.is_away = True
        self.proxy.cut_all()
        self.may_act.set()
        begin = time.monotonic()
        cdb.close()
        self.assertLess(time.monotonic() - begin, SOON / 2)
        self.assertEqual((self.stream[:].d(), self.acted), ([], [1]))
        self.proxy.is_away = False
        self.subscribe(self.daemon(), remember=self.file)
        self.expect(1, 2)

    def test_made_anew(self) -> None:
        """In a stream that is made anew before its eyes, every command is a new one, whatever index it has."""
        gone: list[str] = []
        self.subscribe(self.daemon(), remember=self.file, on_gone=gone.append)
        self.command(1, 2)
        self.expect(1, 2)
        self.anew()
        self.eventually(lambda: "deleted" in gone, "it is gone")
        self.acted.clear()
        self.command(3, 4, 5)
        self.expect(3, 4, 5)
        self.assertEqual(gone, ["deleted", "recreated"])

    def anew(self) -> None:
        """Delete the stream, and make it again."""
        stream = self.device()[self.name]
        stream.delete()
        stream.create({}, downlink=True)
