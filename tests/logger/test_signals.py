"""Tests of a program whose signal handlers use the Logger: while its own thread is in the middle of using it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from connectordb.logger import Logger
from tests.faults.interrupter import Interrupter
from tests.support.case import MS, SOON
from tests.support.logger_cases import NOWHERE, OpenCase

#: Where a signal is looked for: in all of the Logger's.
_WATCHED = ("connectordb/logger/",)

#: So many of the places are taken in turn.
_PLACES = 40


class HandlerTests(OpenCase):
    """A handler that logs, at places all over an insert and a sync: nothing hangs, each point is there once, the numbers add up."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream("s")
        self.new_stream("of_handler")
        self.logger = self.open(durability="normal")
        self.logger.addStream("s")
        self.logger.addStream("of_handler")
        self.logged: dict[str, list[int]] = {"s": [], "of_handler": []}

    def log(self, stream: str) -> None:
        self.logged[stream].append(len(self.logged[stream]))
        self.logger.insert(stream, self.logged[stream][-1])

    def log_many(self) -> None:
        values = [len(self.logged["s"]) + n for n in range(3)]
        self.logger.insert_many({"s": [{"t": 1e9 + value, "d": value} for value in values]})
        self.logged["s"] += values

    def steps(self, work: Callable[[], object], at: int = 0, handler: Callable[[], object] | None = None) -> int:
        with Interrupter(_WATCHED, at, handler) as interrupter:
            work()
        return interrupter.steps

    def everywhere(self, work: Callable[[], object], handler: Callable[[], object]) -> None:
        steps = self.steps(work)
        for at in range(1, steps + 1, max(1, steps // _PLACES)):
            with self.subTest(at=at, of=steps):
                self.steps(work, at, handler)
                status = self.logger.status()
                for name, logged in self.logged.items():
                    stream = status.streams[name]
                    self.assertEqual((stream.accepted, stream.waiting >= 0, stream.aside), (len(logged), True, 0))
                    self.assertEqual(stream.confirmed + stream.waiting, stream.accepted)

    def all_there(self) -> None:
        self.assertTrue(self.logger.flush(10))
        self.assertEqual({name: self.stored(name) for name in self.logged}, self.logged)

    def test_insert(self) -> None:
        """In the middle of an insert."""
        self.everywhere(lambda: self.log("s"), lambda: self.log("of_handler"))
        self.all_there()

    def test_same_stream(self) -> None:
        """In the middle of an insert into the very stream: as many points as were logged, at as many times."""
        logged: list[int] = []

        def log(value: int) -> None:
            self.logger.insert("s", value)
            logged.append(value)

        at = 0
        while at == len(logged) // 2:  # as long as that place was reached
            at += 1
            self.steps(partial(log, at), at, partial(log, -at))
        self.assertTrue(self.logger.flush(10))
        points = self.at("s")[:]
        self.assertEqual(sorted(point["d"] for point in points), sorted(logged))
        self.assertEqual(len({point["t"] for point in points}), len(logged))

    def test_insert_many(self) -> None:
        """In the middle of a transaction."""
        self.everywhere(self.log_many, lambda: self.log("of_handler"))
        self.all_there()

    def test_sync(self) -> None:
        """In the middle of a sync, whose every transaction is undone and done again."""

        def sync() -> None:
            self.log("s")
            self.log("s")
            self.logger.sync()

        self.everywhere(sync, lambda: self.log("of_handler"))
        self.all_there()

    def test_status(self) -> None:
        """It may ask for numbers in the middle of anything."""

        def look() -> None:
            status = self.logger.status()
            self.assertEqual(status.confirmed + status.waiting, status.accepted)
            self.assertGreaterEqual(len(self.logger), 0)

        self.everywhere(self.logger.status, look)
        self.everywhere(self.log_many, look)
        self.everywhere(self.logger.sync, look)
        self.all_there()

    def test_close(self) -> None:
        """It may log a last point, close the Logger and end the program: at once, though a thread of it waits for the turn."""
        steps = self.steps(self.log_many)
        for at in range(1, steps + 1, max(1, steps // 10)):
            path = self.folder() / "cache.db"
            logger = Logger(path, apikey="key")
            self.addCleanup(logger.close)
            logger.serverurl = NOWHERE
            logger.syncperiod = MS
            logger.addStream_force("s")
            logger.start()

            def end(logger: Logger = logger) -> None:
                logger.insert("s", "last")
                logger.close()
                raise SystemExit

            began = time.monotonic()
            with self.subTest(at=at), suppress(SystemExit):
                self.steps(
                    partial(logger.insert_many, {"s": [{"t": 1, "d": "first"}, {"t": 2, "d": "second"}]}), at, end
                )
            self.assertLess(time.monotonic() - began, SOON)
            with Logger(path) as again:
                self.assertIn([point["d"] for point in again.waiting()], (["last"], ["first", "second", "last"]))
