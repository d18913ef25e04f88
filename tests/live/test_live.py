"""Subscriptions against a real server: points, transforms, callbacks, ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import unittest
from typing import Any

from connectordb.exceptions import ClosedError, InvalidRequest, LocalProtocolError, NotFound, PermissionDenied, TimedOut
from connectordb.live import Options
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from tests.support.case import SOON
from tests.support.live_cases import LiveCase, Record


class StreamTests(LiveCase):
    """Plain streams."""

    def test_every_point(self) -> None:
        """Whatever is inserted once subscribe has returned is handed on, in order, with time and value."""
        record = Record()
        self.live.subscribe(self.heat, record)
        for number in range(20):
            self.lamp.call(
                rest.insert(self.heat, [{"t": 1000.5 + number, "d": number}, {"t": 1001.0 + number, "d": None}])
            )
        self.eventually(lambda: len(record.values) == 40)
        self.assertEqual({path for path, _ in record.calls}, {str(self.heat)})
        points = [point for _, points in record.calls for point in points]
        self.assertEqual(points[6:8], [{"t": 1003.5, "d": 3}, {"t": 1004.0, "d": None}])
        self.assertEqual(record.values[::2], list(range(20)))

    def test_large(self) -> None:
        """A message of a few hundred kilobytes, which the server sends in many frames."""
        record, text = Record(), "žluťoučký kůň " * 20_000
        self.live.subscribe(self.heat, record)
        self.lamp.insert(self.heat, text)
        self.eventually(lambda: record.values == [text])

    def test_several_callbacks(self) -> None:
        """A second replaces the first; with add=True both are called; each may be closed by itself."""
        first, second, third = Record(), Record(), Record()
        self.live.subscribe(self.heat, first)
        self.live.subscribe(self.heat, second)
        added = self.live.subscribe(self.heat, third, add=True)
        self.lamp.insert(self.heat, 1)
        self.eventually(lambda: second.values == third.values == [1])
        added.close()
        added.close()
        self.lamp.insert(self.heat, 2)
        self.eventually(lambda: second.values == [1, 2])
        self.assertEqual((first.values, third.values), ([], [1]))

    def test_two_streams(self) -> None:
        """Each callback gets its own stream's points."""
        heat, light = Record(), Record()
        self.live.subscribe(self.heat, heat)
        self.live.subscribe(self.light, light)
        self.lamp.insert(self.light, "on")
        self.lamp.insert(self.heat, 20)
        self.eventually(lambda: heat.values and light.values)
        self.assertEqual((heat.values, light.values), ([20], ["on"]))

    def test_unsubscribe(self) -> None:
        """Afterwards nothing comes; where there is none, nothing happens."""
        record, other = Record(), Record()
        self.live.subscribe(self.heat, record)
        self.live.subscribe(self.light, other)
        self.live.unsubscribe(self.heat)
        self.live.unsubscribe(self.heat)
        self.live.unsubscribe(self.heat, "nothing")
        self.lamp.insert(self.heat, 1)
        self.lamp.insert(self.light, 1)
        self.eventually(lambda: other.values)
        self.assertEqual(record.values, [])
        self.live.subscribe(self.heat, record)
        self.lamp.insert(self.heat, 2)
        self.eventually(lambda: record.values == [2])

    def test_refused(self) -> None:
        """What is no stream or no function, is not there, or is not for the caller; the connection is none the worse."""
        record = Record()
        self.live.subscribe(self.heat, record)
        with self.assertRaisesRegex(LocalProtocolError, "5 cannot be called"):
            self.live.subscribe(self.heat, 5)  # type: ignore[arg-type]
        with self.assertRaises(LocalProtocolError):
            self.live.subscribe(self.lamp.path, record)
        with self.assertRaises(NotFound):
            self.live.subscribe(self.lamp.path / "nosuch", record)
        with self.assertRaises((NotFound, PermissionDenied)):
            self.live.subscribe(Path.parse("test/meta/log"), record)
        self.lamp.insert(self.heat, 1)
        self.eventually(lambda: record.values == [1])

    def test_bad_transform(self) -> None:
        """A transform that the server does not take is refused, where the original would ignore it."""
        with self.assertRaises(InvalidRequest):
            self.live.subscribe(self.heat, Record(), "if $ >")
        self.assertFalse(self.live._switchboard.is_wanted())

    def test_transforms(self) -> None:
        """One stream through several transforms, each by its own callback."""
        plain, above, last = Record(), Record(), Record()
        self.live.subscribe(self.heat, plain)
        self.live.subscribe(self.heat, above, "if $ > 2")
        self.live.subscribe(self.heat, last, "if last")
        self.lamp.insert(self.heat, 1, 2, 3, 4)
        self.eventually(lambda: plain.values and above.values and last.values)
        self.assertEqual((plain.values, above.values, last.values), ([1, 2, 3, 4], [3, 4], [4]))
        self.live.unsubscribe(self.heat, "if $ > 2")
        self.lamp.insert(self.heat, 5)
        self.eventually(lambda: len(plain.values) == 5 and len(last.values) == 2)
        self.assertEqual(above.values, [3, 4])


class CallbackTests(LiveCase):
    """What callbacks may do, and what they may not stop."""

    def test_slow(self) -> None:
        """A callback that takes its time stops neither others nor the connection."""
        begun, go_on, quick = threading.Event(), threading.Event(), Record()
        self.addCleanup(go_on.set)

        def slow(path: str, points: list[Any]) -> None:
            begun.set()
            go_on.wait(SOON)

        self.live.subscribe(self.heat, slow)
        self.live.subscribe(self.heat, quick, add=True)
        self.lamp.insert(self.heat, 1)
        self.wait(begun)
        self.lamp.insert(self.heat, 2)
        self.eventually(lambda: quick.values == [1, 2])

    def test_raising(self) -> None:
        """A raising callback is told, and called again."""
        record = Record()

        def fail(path: str, points: list[Any]) -> None:
            record(path, points)
            raise ZeroDivisionError

        with self.assertLogs("connectordb.live", "ERROR"):
            self.live.subscribe(self.heat, fail, options=Options(on_error=record.errors.append))
            for number in (1, 2):
                self.lamp.insert(self.heat, number)
                self.eventually(lambda: len(record.errors) == number)  # noqa: B023
        self.assertEqual(record.values, [1, 2])

    def test_everything_from_inside(self) -> None:
        """A callback may insert, subscribe, unsubscribe and close."""
        inner, done = Record(), threading.Event()

        def act(path: str, points: list[Any]) -> None:
            self.live.subscribe(self.light, inner)
            self.lamp.insert(self.light, "from inside")
            self.eventually(lambda: inner.values)
            self.live.unsubscribe(self.light)
            self.live.unsubscribe(self.heat)
            self.live.close()
            done.set()

        self.live.subscribe(self.heat, act)
        self.lamp.insert(self.heat, 1)
        self.wait(done)
        self.assertEqual(inner.values, ["from inside"])
        with self.assertRaises(ClosedError):
            self.live.subscribe(self.heat, inner)

    @unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
    def test_forked(self) -> None:
        """A child made by fork while a callback runs ends its copies at once, and the parent's go on."""
        program = (
            "import os, sys, threading, warnings\n"
            "from connectordb import ConnectorDB\n"
            "warnings.simplefilter('ignore')\n"
            "begun, go_on, came = threading.Event(), threading.Event(), threading.Event()\n"
            "def slow(path, points):\n"
            "    begun.set()\n"
            "    go_on.wait(20)\n"
            "    if points[-1]['d'] == 2:\n"
            "        came.set()\n"
            "cdb = ConnectorDB(sys.argv[1], url=sys.argv[2])\n"
            "sub, watch = cdb[sys.argv[3]].subscribe(slow), cdb[sys.argv[3]].watch()\n"
            "many = cdb.subscribe([cdb.path + '/*'], lambda path, points: None)\n"
            "mirror = cdb[sys.argv[3]].live()\n"
            "cdb[sys.argv[3]].insert(1)\n"
            "begun.wait(20)\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    for each in (sub, watch, many, mirror, cdb):\n"
            "        each.close()\n"
            "    os._exit(0)\n"
            "print(os.waitpid(child, 0)[1], flush=True)\n"
            "go_on.set()\n"
            "cdb[sys.argv[3]].insert(2)\n"
            "print(came.wait(20), flush=True)\n"
            "cdb.close()\n"
        )
        arguments = [sys.executable, "-c", program, self.device_key, self.url, self.heat.names[-1]]
        began = time.monotonic()
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=4 * SOON)
        self.assertEqual((done.stdout.split(), done.stderr), (["0", "True"], ""))
        self.assertLess(time.monotonic() - began, SOON)

    def test_remember_from_inside(self) -> None:
        """Where all threads are busy a place is remembered all the same; one that has to be found out first is waited for."""
        done, errors, record = threading.Event(), [], Record()
        live = self.open(self.lamp, timeout=0.4, threads=1)
        file = self.folder() / "place"

        def act(path: str, points: list[Any]) -> None:
            live.subscribe(self.light, record, options=Options(remember=file))
            try:
                live.subscribe(self.light, record, options=Options(remember=f"{file}2", since=5.0), add=True)
            except TimedOut as error:
                errors.append(str(error))
            done.set()

        live.subscribe(self.heat, act)
        self.lamp.insert(self.heat, 1)
        self.wait(done)
        self.assertRegex(errors[0], "all threads of callbacks were busy for 0.4 s")
        with live.watch(self.light, options=Options(remember=f"{file}3", since=5.0)) as points:
            self.assertEqual(points.subscription.state, "catching up")
        live.close()
        self.lamp.insert(self.light, "meanwhile")
        self.live.subscribe(self.light, record, options=Options(remember=file))
        self.eventually(lambda: record.values == ["meanwhile"])

    def test_countdown(self) -> None:
        """A callback may feed the plain stream that it watches; that ends when it stops."""
        record = Record()

        def count(path: str, points: list[Any]) -> None:
            record(path, points)
            if points[-1]["d"]:
                self.lamp.insert(self.heat, points[-1]["d"] - 1)

        self.live.subscribe(self.heat, count)
        self.lamp.insert(self.heat, 5)
        self.eventually(lambda: record.values == [5, 4, 3, 2, 1, 0])

    def test_nothing_after_unsubscribe(self) -> None:
        """Once unsubscribe or close has returned, no callback runs, whatever is under way."""
        for end in (lambda: self.live.unsubscribe(self.heat), lambda: self.live.close()):
            ended = threading.Event()
            late: list[Any] = []

            def callback(path: str, points: list[Any], ended: threading.Event = ended, late: list[Any] = late) -> None:
                if ended.is_set():
                    late.append(points)

            self.live.subscribe(self.heat, callback)
            stop = threading.Event()

            def writer(stop: threading.Event = stop) -> None:
                while not stop.is_set():
                    self.lamp.insert(self.heat, 1)

            thread = threading.Thread(target=writer)
            thread.start()
            self.eventually(lambda: len(self.lamp.inserts) > 5)
            end()
            ended.set()
            before = len(self.lamp.inserts)
            self.eventually(lambda before=before: len(self.lamp.inserts) > before + 5)  # type: ignore[misc]
            stop.set()
            thread.join(SOON)
            self.assertEqual(late, [])

    def test_stuck_callback(self) -> None:
        """A callback that does not end makes unsubscribe say so, and close end within its deadline."""
        begun, go_on = threading.Event(), threading.Event()

        def stuck(path: str, points: list[Any]) -> None:
            begun.set()
            go_on.wait(SOON)

        live = self.open(self.lamp, timeout=0.5)
        live.subscribe(self.heat, stuck)
        self.lamp.insert(self.heat, 1)
        self.wait(begun)
        with self.assertRaisesRegex(TimedOut, "still runs after 0.5 s"):
            live.unsubscribe(self.heat)
        live.subscribe(self.heat, stuck)
        begun.clear()
        self.lamp.insert(self.heat, 1)
        self.wait(begun)
        with self.assertLogs("connectordb.live", "WARNING"):
            started = time.monotonic()
            live.close(timeout=0.2)
            self.assertLess(time.monotonic() - started, SOON / 2)
        go_on.set()
