"""Tests of `connectordb.logger.file.forks`; a Logger in a child is tested in `test_fork`."""

from __future__ import annotations

import gc
import os
import threading
import unittest
import weakref
from unittest import mock

from connectordb.logger.file import forks
from connectordb.logger.file.forks import Forks
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, Case


class Watcher:
    """Notes what it is told."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def before_fork(self, deadline: Deadline) -> None:
        self.told.append("before")

    def after_fork_in_parent(self) -> None:
        self.told.append("parent")

    def after_fork_in_child(self) -> None:
        self.told.append("child")

    def begin_anew(self) -> None:
        self.told.append("anew")


@unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
class ForksTests(Case):
    """Who wants to know of forks is told, while he is there."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[str] = []
        self.forks, self.watcher = Forks(), Watcher(self.told)
        self.forks.tell(self.watcher)
        self.forks.call_in_child(self.watcher.begin_anew)

    def in_child(self) -> str:
        """Fork, and return what was told in the child."""
        end, wrote = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(wrote, " ".join(self.told).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(wrote)
        with open(end, "rb") as pipe:
            return pipe.read().decode()

    def test_both_sides(self) -> None:
        """Before, then on either side."""
        self.assertEqual(self.in_child(), "before child anew")
        self.assertEqual(self.told, ["before", "parent"])

    def test_gone(self) -> None:
        """Nobody is kept alive by that."""
        known = weakref.ref(self.watcher)
        del self.watcher
        gc.collect()
        self.assertIsNone(known())
        self.assertEqual(self.in_child(), "")

    def test_somebody_else_comes(self) -> None:
        """Who comes during a fork waits, and one that takes for ever holds nobody up: the child can be told of things."""
        self.forks._guard.acquire()
        with mock.patch.object(forks, "PATIENCE", 10 * MS):
            self.assertEqual(self.in_child(), "before child anew")
        self.forks._guard.release()
        thread = threading.Thread(target=self.forks.tell, args=(Watcher([]),))
        thread.start()
        thread.join()
        self.assertEqual(self.in_child(), "before parent before child anew")
