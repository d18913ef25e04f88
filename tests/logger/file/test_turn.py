"""Tests of `connectordb.logger.file.turn`."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from connectordb.exceptions import LoggerError, StorageError
from connectordb.logger.file import turn
from connectordb.logger.file.turn import Holder, Turn
from tests.support.case import MS, SOON, Case
from tests.support.interrupts import interrupted_at


class TurnTests(Case):
    """One thread of one process has the turn."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "a.db"
        self.turn = Turn(self.file)

    def test_threads(self) -> None:
        """A second thread waits, and is told if that takes too long; afterwards it has the turn."""
        refused: list[LoggerError] = []

        def take() -> None:
            try:
                with self.turn.taken(MS):
                    pass
            except LoggerError as error:
                refused.append(error)

        with self.turn.taken(0.0):
            thread = threading.Thread(target=take)
            thread.start()
            thread.join(SOON)
        self.assertIn("another thread is syncing", str(refused[0]))
        with self.turn.taken(0.0):
            pass

    def test_processes(self) -> None:
        """Another process waits; when the one that has the turn is killed, the turn is free."""
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_take, args=(self.file, theirs), daemon=True)
        process.start()
        self.assertTrue(ours.poll(SOON))
        with self.assertRaisesRegex(LoggerError, "another process is syncing"), self.turn.taken(MS):
            pass
        process.kill()
        process.join(SOON)
        process.close()
        ours.close()
        theirs.close()
        with self.turn.taken(SOON):
            pass

    def test_interrupted(self) -> None:
        """Ctrl-C wherever it comes leaves the turn free, for other threads and processes too."""

        def take() -> None:
            with self.turn.taken(0.0):
                pass

        for work in (take, self.turn.holder):
            line = 0
            while interrupted_at(line, turn.__file__, work):
                line += 1
                with Turn(self.file).taken(0.0):  # as another process would
                    pass
                thread = threading.Thread(target=take)
                thread.start()
                thread.join(SOON)
                self.assertIs(self.turn.holder(), Holder.NOBODY)
            self.assertGreater(line, 5)

    def test_no_folder(self) -> None:
        """Where no lock can be made that is said."""
        with self.assertRaisesRegex(StorageError, "locking"), Turn(Path("/proc/nowhere/a.db")).taken(0.0):
            pass


def _take(file: Path, told: Connection) -> None:
    with Turn(file).taken(SOON):
        told.send("taken")
        threading.Event().wait(SOON)
