"""Tests of a Logger in a process that was forked from the one that opened it."""

from __future__ import annotations

import os
import signal
import threading
import unittest

from connectordb.exceptions import LoggerError
from connectordb.logger import Logger
from tests.support.case import SOON, Case


@unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
class ForkTests(Case):
    """A child says what to do instead; it neither hangs nor touches its parent's file."""

    def test_child(self) -> None:
        """While other threads log, a child's insert is refused and its close returns; the parent goes on."""
        logger = Logger(self.folder() / "a.db")
        self.addCleanup(logger.close)
        logger.addStream_force("s")
        stop = threading.Event()

        def log() -> None:
            while not stop.is_set():
                logger.insert("s", 0)

        threads = [threading.Thread(target=log) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                self.assertEqual(self._status_of_child(logger), 0)
        finally:
            stop.set()
            for thread in threads:
                thread.join(SOON)
        before = len(logger)
        logger.insert("s", 1)
        self.assertEqual(len(logger), before + 1)

    def _status_of_child(self, logger: Logger) -> int:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                signal.alarm(max(1, int(SOON)))  # what hangs does not stay
                try:
                    logger.insert("s", 2)
                except LoggerError as error:
                    status = 0 if "child made by fork" in str(error) else 2
                logger.close()
            finally:
                os._exit(status)
        return os.waitpid(child, 0)[1]
