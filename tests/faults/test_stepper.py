"""Tests of `tests.faults.stepper`."""

from __future__ import annotations

import os
import unittest

from ..support.case import Case
from . import book
from .book import Book
from .stepper import Stepper


@unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
class StepperTests(Case):
    """A process is killed before the n-th line of what is watched, and before no other."""

    def run_watched(self, kill_at: int = 0, watched: str = book.__file__) -> int:
        """Return how many steps some code of `book` takes."""
        made = Book("s", doubtful={("a", 1)})
        with Stepper((watched,), kill_at) as stepper:
            made.resolve()
        return stepper.steps

    def test_counted(self) -> None:
        """Steps are counted, the same each time, and only those in files that are watched."""
        steps = self.run_watched()
        self.assertGreater(steps, 5)
        self.assertEqual(steps, self.run_watched())
        self.assertEqual(0, self.run_watched(watched="/no/such/file"))

    def test_killed(self) -> None:
        """The process dies at each of the steps, and lives if there are fewer."""
        steps = self.run_watched()
        for at, status in (1, -9), (steps // 2, -9), (steps, -9), (steps + 1, 0):
            with self.subTest(at=at):
                child = os.fork()
                if child == 0:
                    self.run_watched(at)
                    os._exit(0)
                self.assertEqual(status, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
