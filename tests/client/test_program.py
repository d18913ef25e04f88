"""Tests of `connectordb.client.program`."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any

from connectordb import ClosedError, ConnectorDB, LocalProtocolError
from tests.support.case import SOON, Case
from tests.support.target import TargetCase
from tests.support.wire import Peer, Tree


class PeerCase(Case):
    """A server that says what a test wants, and a connection to it."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer(otherwise=Tree().step)
        self.addCleanup(self.peer.close)

    def connect(self, **options: Any) -> ConnectorDB:
        """Return a connection that ends with the test."""
        cdb = ConnectorDB("key", url=self.peer.url, **options)
        self.addCleanup(cdb.close)
        return cdb


class Scheduled(PeerCase):
    """Functions that are called at times."""

    def test_decorators(self) -> None:
        """A function is scheduled by a call, or by decorating it; what it becomes can be cancelled, and called."""
        cdb, count = self.connect(), threading.Semaphore(0)

        @cdb.every(0.001)
        def often() -> None:
            count.release()

        @cdb.after(timedelta(milliseconds=1))
        def once() -> str:
            count.release()
            return "done"

        others = cdb.every(timedelta(milliseconds=1), count.release), cdb.after(0, count.release)
        for _ in range(20):
            self.assertTrue(count.acquire(timeout=SOON))
        self.eventually(lambda: once.is_over)
        self.assertEqual((once(), once.runs), ("done", 1))
        for job in (often, *others):
            self.assertTrue(job.cancel(SOON))

    def test_first(self) -> None:
        """The first call comes after a period, or when it is said."""
        cdb, ran = self.connect(), threading.Event()
        cdb.every(1000, ran.set)
        cdb.every(0.001, ran.set, first=timedelta(seconds=1000))
        job = cdb.every(1000, lambda: None, first=0)
        self.eventually(lambda: job.runs)
        self.assertFalse(ran.is_set())

    def test_errors(self) -> None:
        """What a function raises is handed on."""
        cdb, told = self.connect(), list[BaseException]()
        with self.assertLogs("connectordb.client.scheduling", "ERROR"):
            for schedule in (cdb.every(1000, first=0, on_error=told.append), cdb.after(0, on_error=told.append)):
                schedule(lambda: 1 // 0)
            self.eventually(lambda: len(told) == 2)
        self.assertEqual([type(error) for error in told], [ZeroDivisionError] * 2)

    def test_refused(self) -> None:
        """What makes no sense is refused when it is said, not when it is due."""
        cdb = self.connect()
        for bad in (0, -1, True, "5", None, float("nan"), float("inf"), timedelta(0)):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "expected seconds, above 0"):
                cdb.every(bad, print)  # type: ignore[call-overload]
        for bad in (-1, True, "5", None, float("nan"), timedelta(-1)):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "expected seconds, 0 or more"):
                cdb.after(bad, print)  # type: ignore[call-overload]
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "first="):
                cdb.every(1, first=[] if bad is None else bad)  # type: ignore[call-overload]
        with self.assertRaisesRegex(LocalProtocolError, "cannot be called"):
            cdb.every(5, 5)  # type: ignore[call-overload]
        for schedule in (cdb.every, cdb.after):
            with self.assertRaisesRegex(LocalProtocolError, "None cannot be called"):
                schedule(5, None)  # type: ignore[operator]
        with self.assertRaisesRegex(LocalProtocolError, "coroutine"):
            cdb.after(5, asyncio.sleep)  # type: ignore[arg-type]

    def test_close(self) -> None:
        """Closing ends them, and waits for one that runs; nothing is scheduled any more."""
        cdb, runs, go_on = self.connect(), threading.Event(), threading.Event()
        job = cdb.every(1000, lambda: (runs.set(), go_on.wait(SOON), cdb.ping()), first=0)
        self.wait(runs)
        closing = threading.Thread(target=cdb.close)
        closing.start()
        closing.join(0.02)
        self.assertTrue(closing.is_alive())
        go_on.set()
        closing.join(SOON)
        self.assertEqual((job.is_over, job.failures), (True, 0))
        for schedule in (cdb.every, cdb.after):
            with self.assertRaises(ClosedError):
                schedule(1, print)

    def test_close_by_a_function(self) -> None:
        """A function may close the connection, and what is scheduled when it is closed already never runs."""
        cdb = self.connect()
        job = cdb.after(0, cdb.close)
        self.eventually(lambda: job.is_over)
        unused = self.connect()
        unused.close()
        with self.assertRaises(ClosedError):
            unused.every(1, print)

    def test_close_in_time(self) -> None:
        """Closing takes as long as is said, whatever runs."""
        cdb, runs, go_on = self.connect(), threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        cdb.after(0, lambda: (runs.set(), go_on.wait(SOON)))
        self.wait(runs)
        began = time.monotonic()
        with self.assertLogs("connectordb.client.scheduling", "WARNING"):
            cdb.close(timeout=0.05)
        cdb.close()  # does not wait again
        self.assertLess(time.monotonic() - began, SOON / 2)
        with self.assertRaisesRegex(LocalProtocolError, "timeout="):
            cdb.close(timeout=-1)


PROGRAM = """
import logging, os, signal, sys, threading
from connectordb import ConnectorDB
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
logging.getLogger("connectordb.client.scheduling").setLevel(logging.ERROR)
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
with ConnectorDB("key", url=sys.argv[1]) as cdb:
    jobs = []
    {within}

    @cdb.every(0.02)
    def announce():
        if before != [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]:
            if all(job.runs for job in jobs):
                announce.cancel()
                print("running", flush=True)

    cdb.run()
    print("run has returned", flush=True)
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("connectordb-")]
"""


class Running(PeerCase):
    """Staying alive until a signal."""

    def program(self, within: str = "pass") -> subprocess.Popen[str]:
        """Start a program that runs, and wait until it does."""
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM.format(within=within), self.peer.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "running\n")
        return process

    def test_signals(self) -> None:
        """Either signal has it close, and everything is as it was before."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = self.program()
                process.send_signal(number)
                out, err = process.communicate(timeout=3 * SOON)
                self.assertEqual((process.returncode, out, err), (0, f"{number.name}: closing\nrun has returned\n", ""))

    def test_second_signal(self) -> None:
        """Where closing takes its time a second Ctrl-C ends the program at once."""
        process = self.program("jobs.append(cdb.after(0, lambda: threading.Event().wait(60)))")
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.stdout.readline(), "SIGINT: closing\n")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=3 * SOON)
        self.assertLess(time.monotonic() - began, SOON)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertNotIn("returned", out)
        self.assertTrue(err.endswith("KeyboardInterrupt\n"), err)

    def test_two_at_once(self) -> None:
        """So it does where both come before the program has seen the first."""
        process = self.program("jobs.append(cdb.after(0, lambda: threading.Event().wait(60)))")
        for number in (signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        out, err = process.communicate(timeout=3 * SOON)
        self.assertIn(process.returncode, (-signal.SIGINT, -signal.SIGTERM), out + err)

    def test_ignored(self) -> None:
        """A signal that is ignored, as in a shell's background, remains so."""
        process = self.program("signal.signal(signal.SIGINT, signal.SIG_IGN); before[0] = signal.SIG_IGN")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=3 * SOON)
        self.assertEqual((process.returncode, out, err), (0, "SIGTERM: closing\nrun has returned\n", ""))

    def test_closed_meanwhile(self) -> None:
        """It returns when somebody closes the connection; after that there is nothing to run."""
        before = signal.getsignal(signal.SIGINT)
        cdb = self.connect()
        cdb.after(0.02, cdb.close)
        cdb.run()
        self.assertIs(signal.getsignal(signal.SIGINT), before)
        with self.assertRaises(ClosedError):
            cdb.run()

    def test_closed_wholly(self) -> None:
        """It does not return before somebody else's closing is done, lest the program ends in its midst."""
        cdb, story, runs = self.connect(), list[str](), threading.Event()
        cdb.after(0, lambda: (runs.set(), threading.Event().wait(0.1), story.append("a function has run")))
        cdb.after(0, lambda: (runs.wait(SOON), cdb.close()))
        cdb.run()
        self.assertEqual(story, ["a function has run"])

    def test_other_threads(self) -> None:
        """Only the main thread gets signals."""
        cdb, said = self.connect(), list[str]()

        def work() -> None:
            try:
                cdb.run()
            except LocalProtocolError as error:
                said.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(SOON)
        self.assertRegex(said[0], "main thread")


class Pumped(TargetCase):
    """A connection whose callbacks have no threads."""

    def test_run(self) -> None:
        """While it runs, the callbacks run on the thread that waits."""
        cdb, stream, threads = self.connect(self.device_key, threads=0), self.stream(), list[threading.Thread]()

        def heard(path: str, points: Any) -> None:
            threads.append(threading.current_thread())
            cdb.after(0, cdb.close)

        cdb(stream.path).subscribe(heard)
        cdb.after(0, lambda: stream.insert(1))
        cdb.run()
        self.assertEqual(threads, [threading.main_thread()])


class Closing(TargetCase):
    """The end of it all."""

    def test_in_time(self) -> None:
        """However much hangs, scheduled functions and callbacks have the time once, together."""
        cdb, stream, hangs = self.device(), self.stream(), threading.Semaphore(0)
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        for _ in range(2):
            cdb.after(0, lambda: (hangs.release(), go_on.wait(SOON)))
        cdb(stream.path).subscribe(lambda path, points: (hangs.release(), go_on.wait(SOON)))
        stream.insert(1)
        for _ in range(3):
            self.assertTrue(hangs.acquire(timeout=SOON))
        began = time.monotonic()
        with self.assertLogs("connectordb", "WARNING") as logs:
            cdb.close(timeout=0.3)
        self.assertLess(time.monotonic() - began, SOON / 2)
        self.assertEqual(len([line for line in logs.output if "still run" in line]), 2, logs.output)
        self.assertFalse(cdb.is_connected)
        go_on.set()
