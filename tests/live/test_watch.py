"""Tests of `connectordb.live.watch`: iterating over what comes, and callbacks on the caller's thread."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any
from unittest import mock

from connectordb.exceptions import ConnectionFailed, DownlinkError, LocalProtocolError, StreamGone, TimedOut
from connectordb.live.following import follower
from tests.support.case import MS, SOON
from tests.support.interrupts import interrupted_at
from tests.support.target import TargetCase, new_name


class WatchTests(TargetCase):
    """An iterator on a real server."""

    def setUp(self) -> None:
        super().setUp()
        self.cdb = self.connect(self.device_key)
        self.stream = self.cdb[new_name()]
        self.stream.create({"type": "number"})

    def fill(self, first: int, after: int) -> None:
        """Insert points of which each says where it stands."""
        self.stream.insert_array([{"t": 1000.0 + number, "d": number} for number in range(first, after)])

    def test_iterate(self) -> None:
        """What was there, then what comes; where each stands; and the end after a silence."""
        self.fill(0, 5)
        with self.stream.watch(since=-2, timeout=1000 * MS) as points:
            self.assertEqual(next(points)["d"], 3)
            self.assertEqual((points.index, points.caught_up, points.sender), (3, True, self.cdb.path))
            self.fill(5, 8)
            self.assertEqual([point["d"] for point in points], [4, 5, 6, 7])
            self.assertEqual((points.index, points.subscription.missed), (7, 0))
            with self.assertRaisesRegex(TimedOut, "no point came within 0.05 s"):
                points.next(50 * MS)
            self.fill(8, 9)
            self.assertEqual(points.next(SOON)["d"], 8)
            self.fill(9, 20)
            self.assertEqual(points.next(SOON)["d"], 9)
        self.assertEqual(list(points), [], "what was there is not gone on with")

    def test_ended_by_another(self) -> None:
        """Closing it, or the connection, from elsewhere ends an iteration that waits."""
        for close in (lambda points: points.close(), lambda points: self.cdb.close()):
            with self.stream.watch() as points:
                timer = threading.Timer(50 * MS, close, [points])
                timer.start()
                self.assertEqual(list(points), [])
                timer.join()

    def test_two_threads(self) -> None:
        """Who iterates where another thread waits for a point is told, as one of them would stand still; one after the other may."""
        got: list[int] = []
        with self.stream.watch() as points:
            other = threading.Thread(target=lambda: got.append(points.next(SOON)["d"]))
            other.start()
            self.eventually(lambda: points._iterating is not None)
            with self.assertRaisesRegex(LocalProtocolError, "another thread iterates"):
                next(points)
            self.fill(0, 2)
            other.join(SOON)
            self.assertEqual((got, next(points)["d"]), ([0], 1))

    def test_live(self) -> None:
        """It is live once all there was has been asked for."""
        self.fill(0, 2)
        with self.stream.watch(since=0) as points:
            self.assertFalse(points.subscription.wait("live", 10 * MS))
            self.assertEqual([points.next(SOON)["d"] for _ in range(2)], [0, 1])
            with self.assertRaises(TimedOut):
                points.next(10 * MS)
            self.assertTrue(points.subscription.wait("live", SOON))

    def test_gone(self) -> None:
        """A stream that is deleted is told by an error; the iterator may be gone on with."""
        self.fill(0, 2)
        with self.stream.watch(since=0, timeout=SOON) as points:
            self.assertEqual([next(points)["d"], next(points)["d"]], [0, 1])
            self.stream.delete()
            with self.assertRaises(StreamGone) as raised:
                next(points)
            self.assertIn(raised.exception.reason, ("deleted", "denied"))

    def test_no_thread_runs_it(self) -> None:
        """Everything is done on the thread that iterates; a second iterator is no matter to the first."""
        with self.stream.watch(since=0) as first, self.stream.watch(since=0) as second:
            self.fill(0, 1)
            self.assertEqual(first.next(SOON)["d"], 0)
            names = [thread.name for thread in threading.enumerate()]
            self.assertFalse([name for name in names if "callbacks" in name or "watch" in name])
            self.assertEqual(second.next(SOON)["d"], 0)

    def test_ctrl_c(self) -> None:
        """Ctrl-C ends an iteration that waits, at once, and nothing is left that keeps the program."""
        program = (
            "import sys\n"
            "from connectordb import ConnectorDB\n"
            "with ConnectorDB(sys.argv[1], url=sys.argv[2]) as cdb, cdb[sys.argv[3]].watch() as points:\n"
            "    print('watching', flush=True)\n"
            "    next(points)\n"
        )
        arguments = [sys.executable, "-c", program, self.device_key, self.url, self.stream.name]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            assert process.stdout is not None and process.stderr is not None
            self.assertEqual(process.stdout.readline(), "watching\n")
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            self.assertIn("KeyboardInterrupt", process.stderr.read())
            process.wait(SOON)
            self.assertLess(time.monotonic() - began, SOON / 2)

    def test_go_on_after_ctrl_c(self) -> None:
        """Ctrl-C at any moment of bringing points leaves out none of them, and brings none twice."""
        self.fill(0, 30)
        with mock.patch.object(follower, "PAGE", 7):
            for line in range(0, 120, 7):
                with self.stream.watch(since=0) as points:
                    got: list[int] = []

                    def read(points: Any = points, got: list[int] = got) -> None:
                        while len(got) < 30:
                            got.append(points.next(SOON)["d"])

                    with self.subTest(line=line):
                        interrupted_at(line, follower.__file__, read)
                        read()
                        self.assertEqual(got, list(range(30)))

    def test_through_a_script_here(self) -> None:
        """A script that runs here goes over all points as one sequence, from wherever it was begun."""
        self.fill(0, 4)
        with self.stream.watch("sum", at="client", since=0) as points:
            self.assertEqual([points.next(SOON)["d"] for _ in range(4)], [0, 1, 3, 6])
            self.fill(4, 6)
            self.assertEqual([points.next(SOON)["d"] for _ in range(2)], [10, 15])


class PumpTests(TargetCase):
    """Callbacks on the thread that asks for them."""

    def test_pump(self) -> None:
        """They run in pump, and nowhere else; it returns at once when there is something, and after its time when not."""
        cdb = self.connect(self.device_key, threads=0)
        stream = cdb[new_name()]
        stream.create({})
        threads: list[Any] = []

        def hear(path: str, points: Any) -> None:
            threads.append((threading.current_thread(), points[0]["d"]))

        subscription = stream.subscribe(hear)
        while cdb.pump(20 * MS):  # what belongs to the beginning
            pass
        stream.insert(1)
        self.eventually(lambda: subscription.lag == 1)
        self.assertEqual(threads, [])
        self.eventually(lambda: cdb.pump(10 * MS) and threads)
        self.assertEqual(threads, [(threading.current_thread(), 1)])
        while cdb.pump(20 * MS):
            pass
        self.assertEqual(len(threads), 1)

    def test_mirrors_and_commands(self) -> None:
        """What belongs to them needs nobody who pumps."""
        cdb = self.connect(self.device_key, threads=0)
        stream = cdb[new_name()]
        stream.create({})
        stream.insert(1)
        with stream.live() as mirror:
            self.assertEqual(mirror.value, 1)
            stream.insert(2)
            self.assertEqual(mirror.wait_for(lambda value: value == 2, SOON), 2)

    def test_server_away(self) -> None:
        """While an acknowledgement cannot be written, pump comes back all the same; it is written later, and the next command waits."""
        cdb, away, acted = self.connect(self.device_key, threads=0), threading.Event(), list[Any]()
        call, errors = cdb._session.once, list[Exception]()

        def fail(request: Any) -> Any:
            if away.is_set() and request.inserts:
                raise ConnectionFailed("there is no server")
            return call(request)

        def act(path: str, points: Any) -> bool:
            away.set()
            acted.append(points[0]["d"])
            return True

        patch = mock.patch.object(cdb._session, "once", fail)
        patch.start()
        self.addCleanup(patch.stop)
        lamp = cdb[new_name()]
        lamp.create({}, downlink=True)
        lamp.subscribe(act, downlink=True, on_error=errors.append)
        self.person()(lamp.path).insert_array([{"d": 1}, {"d": 2}])
        self.eventually(lambda: cdb.pump(10 * MS) and acted)
        stuck = threading.Timer(SOON, away.clear)  # for who waits
        stuck.start()
        self.addCleanup(stuck.cancel)
        for _ in range(20):
            cdb.pump(10 * MS)
        self.assertTrue(away.is_set())
        self.assertEqual((acted, lamp[:].d()), ([1], []))
        away.clear()
        self.eventually(lambda: cdb.pump(10 * MS) and acted == [1, 2])
        self.assertEqual(lamp[:].d(), [1])
        lamp.unsubscribe(downlink=True)
        self.assertEqual([type(error) for error in errors], [DownlinkError])

    def test_refused(self) -> None:
        """Where callbacks have threads there is nothing to pump."""
        with self.assertRaisesRegex(LocalProtocolError, "threads=0"):
            self.connect(self.device_key).pump()
