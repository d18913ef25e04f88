"""Tests of a Logger in a process that was forked from the one that opened it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
import unittest
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

from connectordb.exceptions import LoggerError
from connectordb.logger import Logger
from connectordb.logger.file import forks
from connectordb.logger.file.turn import Busy, Turn
from connectordb.logger.rows.store import Store
from connectordb.runtime import sqlite
from tests.support.case import MS, SOON, Case
from tests.support.logger_cases import OpenCase, waiting

HAS_FORK = hasattr(os, "fork")


def in_child(work: Callable[[], object]) -> int:
    """Run *work* in a child made by fork; return the child's id."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(max(1, int(2 * SOON)))  # what hangs does not stay
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(1)
    return child


def status(child: int) -> int:
    """Wait for a child to end."""
    return os.waitpid(child, 0)[1]


@unittest.skipUnless(HAS_FORK, "this system has no fork")
class ForkTests(Case):
    """A child's Logger works, beside its parent's."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.logger = Logger(self.path)
        self.addCleanup(self.logger.close)
        self.logger.addStream_force("s")

    @contextmanager
    def busy(self, number: int) -> Iterator[list[int]]:
        """Have so many threads insert; the list says how often, once they have ended."""
        stop, counts = threading.Event(), [0] * number

        def log(at: int) -> None:
            while not stop.is_set():
                self.logger.insert("s", at)
                counts[at] += 1

        threads = [threading.Thread(target=log, args=(at,)) for at in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield counts
        finally:
            stop.set()
            for thread in threads:
                thread.join(SOON)

    def assert_sound(self) -> None:
        connection = sqlite.connect_to_read(self.path)
        self.addCleanup(connection.close)
        self.assertEqual(connection.pragma("integrity_check"), "ok")

    def test_all_insert(self) -> None:
        """While threads insert, children are forked that insert as well: every point is there once, and the file sound."""
        each = 20

        def insert() -> None:
            for _ in range(each):
                self.logger.insert("s", -1)
            self.logger.close()

        with self.busy(8) as counts:
            children = [in_child(insert) for _ in range(10)]
            self.assertEqual([status(child) for child in children], [0] * 10)
        self.logger.insert("s", -2)
        self.assertEqual(len(self.logger), sum(counts) + 10 * each + 1)
        self.assert_sound()

    def test_child_that_is_killed(self) -> None:
        """What a child inserted stays when it is killed, and the parent goes on at once."""

        def insert() -> None:
            self.logger.insert("s", 1)
            os.kill(os.getpid(), signal.SIGKILL)

        self.assertEqual(status(in_child(insert)), signal.SIGKILL)
        self.logger.insert("s", 2)
        self.assertEqual(len(self.logger), 2)

    def test_grandchild(self) -> None:
        """A child may fork, too."""

        def insert() -> None:
            self.logger.insert("s", 1)
            assert status(in_child(lambda: self.logger.insert("s", 2))) == 0
            self.logger.insert("s", 3)

        self.assertEqual(status(in_child(insert)), 0)
        self.assertEqual(len(self.logger), 3)

    def test_parent_ends_first(self) -> None:
        """A child goes on when its parent has closed the file."""
        go_on, parent_closed = os.pipe()
        child = in_child(lambda: (os.read(go_on, 1), self.logger.insert("s", 1), self.logger.close()))
        self.logger.insert("s", 0)
        self.logger.close()
        os.write(parent_closed, b"x")
        self.assertEqual(status(child), 0)
        for end in (go_on, parent_closed):
            os.close(end)
        store = Store(self.path)
        self.addCleanup(store.close)
        self.assertEqual([row.d for row in waiting(store, 1)], ["0", "1"])
        self.assert_sound()

    def test_closed(self) -> None:
        """What is closed stays closed."""
        self.logger.close()

        def insert() -> None:
            try:
                self.logger.insert("s", 1)
            except RuntimeError:  # ClosedError
                os._exit(7)

        self.assertEqual(os.waitstatus_to_exitcode(status(in_child(insert))), 7)

    def test_busy_for_too_long(self) -> None:
        """What is not free in time belongs to the parent: the child's insert says so, its close returns, the parent goes on."""
        has_it, go_on = threading.Event(), threading.Event()
        for hold in (self._write, self._read):
            thread = threading.Thread(target=hold, args=(has_it, go_on))
            thread.start()
            self.wait(has_it)

            def refused() -> None:
                for use in (lambda: self.logger.insert("s", 1), lambda: len(self.logger)):
                    try:
                        use()
                    except LoggerError as error:
                        assert "belongs to the parent" in str(error), error
                    else:
                        raise AssertionError("it was not refused")
                self.logger.close()

            with mock.patch.object(forks, "PATIENCE", 20 * MS):
                child = in_child(refused)
            self.assertEqual(status(child), 0)
            go_on.set()
            thread.join(SOON)
            has_it.clear(), go_on.clear()
            self.logger.insert("s", 1)
        self.assertEqual(len(self.logger), 2)

    def _write(self, has_it: threading.Event, go_on: threading.Event) -> None:
        self.logger._store._file.write(lambda connection: (has_it.set(), go_on.wait(SOON)))

    def _read(self, has_it: threading.Event, go_on: threading.Event) -> None:
        with self.logger._store._file.reading():
            has_it.set()
            go_on.wait(SOON)

    def test_while_settings_are_read(self) -> None:
        """A child does not wait for a thread of its parent's which reads the settings just then."""
        reads, go_on = threading.Event(), threading.Event()

        def settings() -> dict[str, object]:
            reads.set()
            self.wait(go_on)
            return {}

        with mock.patch.object(self.logger._store.catalogue, "settings", settings):
            thread = threading.Thread(target=self.logger._look_for_server)
            thread.start()
            self.wait(reads)
            child = in_child(partial(setattr, self.logger, "syncperiod", 5.0))
            go_on.set()
            thread.join(SOON)
        self.assertEqual(status(child), 0)

    def test_not_kept_alive(self) -> None:
        """Whoever is told of forks can go."""
        logger = Logger(self.folder() / "b.db")
        logger.close()
        known = weakref.ref(logger)
        del logger
        gc.collect()
        self.assertIsNone(known())

    def test_lock_of_the_parent(self) -> None:
        """While the parent syncs its child cannot; a child neither unlocks it nor keeps it locked."""
        end, wrote = os.pipe()
        told, refused = os.pipe()

        def try_it() -> None:
            try:
                with self.logger._turn.taken(0.0):
                    raise AssertionError("both had it")
            except Busy:
                os.write(refused, b"x")
                os.read(end, 1)
            with self.logger._turn.taken(SOON):
                self.logger.close()

        with self.logger._turn.taken(SOON):
            child = in_child(try_it)
            os.close(refused)
            self.assertEqual(os.read(told, 1), b"x")  # before the turn is free
            self.assertEqual(status(in_child(self.logger.close)), 0)
            with self.assertRaises(Busy), Turn(self.path).taken(0.0):
                pass
        with Turn(self.path).taken(0.0):  # with the child there
            pass
        os.write(wrote, b"x")
        self.assertEqual(status(child), 0)
        for descriptor in (end, wrote, told):
            os.close(descriptor)


@unittest.skipUnless(HAS_FORK, "this system has no fork")
class SyncingChildTests(OpenCase):
    """A child syncs, and its parent does."""

    def test_both_sync(self) -> None:
        """With a background sync in the parent, children insert, start syncing and sync: every point arrives once."""
        self.new_stream()
        logger = self.open()
        logger.addStream("s")
        logger.start()

        def insert(first: int) -> None:
            assert not logger._syncing._periodic.is_running
            logger.start()
            for value in range(first, first + 20):
                logger.insert("s", value)
            logger.sync()
            logger.close()

        children = []
        for number in range(1, 6):
            for value in range(number * 1000 + 500, number * 1000 + 520):
                logger.insert("s", value)
            children.append(in_child(partial(insert, number * 1000)))
        self.assertEqual([status(child) for child in children], [0] * 5)
        logger.sync()
        expected = [first + n for k in range(1, 6) for first in (k * 1000, k * 1000 + 500) for n in range(20)]
        self.assertEqual(sorted(self.stored()), sorted(expected))
        self.assertEqual((len(logger), logger.rejected()), (0, []))
