"""The base of every test case: waits with deadlines, and a test fails if it leaves a thread, a process or a socket."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from connectordb.client.terms import retry

#: Where files of tests are, unless TMPDIR says otherwise: in memory, if there is room. Most of what they would wait for is the disk,
#: whose flushes prove nothing here: what does not outlast a power cut is found by layers below SQLite that forget it.
_MEMORY, _ROOM = "/dev/shm", 2 << 30

if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY

#: One unit of waiting; the environment scales it on slow machines.
MS = float(os.environ.get("CONNECTORDB_TEST_MS", "0.001"))

#: How long a test waits for something that should happen soon.
SOON = 10_000 * MS


class Case(unittest.TestCase):
    """A test case with a folder of its own, and the few verbs that all tests need."""

    def setUp(self) -> None:
        self._sockets_before = _sockets()
        self._threads_before = set(threading.enumerate())
        # the first clean-up added is the last to run: whatever a test adds ends before
        # so that looking for leaks does not go through all that was there before, each time
        gc.freeze()
        self.addCleanup(self._check_leaks)
        self._watch_threads()

    def folder(self) -> Path:
        """Return a new folder that goes with the test."""
        path = Path(tempfile.mkdtemp(prefix="connectordb-test-"))
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def eventually(self, condition: Callable[[], object], what: str = "", within: float = SOON) -> object:
        """Wait until *condition* returns something true, and return that; fail if it does not *within* seconds."""
        deadline = time.monotonic() + within
        tick = threading.Event()
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > deadline:
                self.fail(f"not within {within:g} s: {what or condition}")
            tick.wait(2 * MS)

    def wait(self, event: threading.Event, what: str = "the event", within: float = SOON) -> None:
        """Wait for *event*; fail if it is not set *within* seconds."""
        self.assertTrue(event.wait(within), f"not within {within:g} s: {what}")

    def without_pauses(self) -> None:
        """Let attempts follow at once upon each other in this test, where it is no test of the pauses between them."""
        at_once = mock.patch.object(retry, "DEFAULT", retry.Retry(first_backoff=0))
        at_once.start()
        self.addCleanup(at_once.stop)

    def _watch_threads(self) -> None:
        """Have an exception that ends a thread of ours fail the test."""
        before, ended = threading.excepthook, []

        def hook(what: threading.ExceptHookArgs) -> None:
            is_error = what.exc_type is not SystemExit
            if is_error and what.thread is not None and what.thread.name.startswith("connectordb-"):
                ended.append(f"{what.thread.name}: {what.exc_type.__name__}: {what.exc_value}")
            before(what)

        def check() -> None:
            threading.excepthook = before
            self.assertEqual(ended, [], "exceptions ended threads")

        threading.excepthook = hook
        self.addCleanup(check)

    def _check_leaks(self) -> None:
        def left() -> list[str]:
            threads = [
                thread.name
                for thread in threading.enumerate()
                if thread.name.startswith("connectordb-") and thread not in self._threads_before
            ]
            return threads + sorted(f"{fd}: {what}" for fd, what in (_sockets() - self._sockets_before))

        deadline = time.monotonic() + SOON
        tick = threading.Event()
        while left() and time.monotonic() < deadline:
            gc.collect()
            tick.wait(MS)
        self.assertEqual(left(), [], "the test left threads or sockets behind")


def _sockets() -> set[tuple[str, str]]:
    """Return the open sockets of this process, where the system tells them."""
    found = set()
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return set()
    for name in names:
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add((name, target))
    return found
