"""Tests of `connectordb.logger.file.commits`."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from connectordb.exceptions import ClosedError, LoggerError, StorageError
from connectordb.logger.file import commits
from connectordb.logger.file.commits import Commits
from connectordb.runtime import sqlite
from tests.support.case import SOON, Case
from tests.support.interrupts import interrupted_at, signalled_at


class CommitsTests(Case):
    """Turns at one connection."""

    def setUp(self) -> None:
        super().setUp()
        path = self.folder() / "a.db"
        self.connection = sqlite.connect(path)
        self.connection.execute("CREATE TABLE a (x UNIQUE)")
        self.undone = 0
        self.commits = Commits(path, lambda: self.connection, lambda: None, self._count)
        self.addCleanup(self.commits.close)
        self.commit_count = 0

    def _count(self) -> None:
        self.undone += 1

    def add(self, x: object) -> None:
        self.commits.run(lambda connection: connection.execute("INSERT INTO a VALUES (?)", (x,)))

    def values(self) -> list[object]:
        return self.commits.run(lambda connection: [x for (x,) in connection.execute("SELECT x FROM a ORDER BY x")])

    def held(self) -> tuple[threading.Thread, threading.Event]:
        """Let a thread have the turn until the event is set."""
        has_it, go_on = threading.Event(), threading.Event()

        def hold(connection: sqlite.Connection) -> None:
            has_it.set()
            self.wait(go_on)

        thread = threading.Thread(target=self.commits.run, args=(hold,))
        thread.start()
        self.wait(has_it)
        return thread, go_on

    def queued(self, number: int) -> None:
        self.eventually(lambda: len(self.commits._queue) == number, f"{number} are waiting")

    def test_alone(self) -> None:
        """Who finds nobody writing commits at once."""
        self.add(1)
        self.assertEqual(self.values(), [1])

    def test_ride_along(self) -> None:
        """Those who come during a commit are committed together, by the first of them."""
        holder, go_on = self.held()
        threads = [threading.Thread(target=self.add, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        self.queued(5)
        commits: list[int] = []
        self.connection.set_commit_hook(lambda: commits.append(1) or False)  # type: ignore[func-returns-value]
        go_on.set()
        for thread in (holder, *threads):
            thread.join(SOON)
        self.connection.set_commit_hook(None)
        self.assertEqual(self.values(), [0, 1, 2, 3, 4])
        self.assertEqual(len(commits), 2)  # the first one, and one for all five

    def test_come_again(self) -> None:
        """After a group, the first who comes lets others come, and commits with them; after one alone nobody waits."""
        holder, go_on = self.held()
        group = [threading.Thread(target=self.add, args=(n,)) for n in range(2)]
        for thread in group:
            thread.start()
        self.queued(2)
        go_on.set()
        for thread in (holder, *group):
            thread.join(SOON)
        other = threading.Thread(target=self.add, args=(3,))
        pauses: list[float] = []

        def others_come(seconds: float) -> None:
            pauses.append(seconds)
            if not other.ident:
                other.start()
                self.queued(2)

        count: list[int] = []
        self.connection.set_commit_hook(lambda: count.append(1) or False)  # type: ignore[func-returns-value]
        with mock.patch.object(commits, "time", SimpleNamespace(sleep=others_come)):
            self.add(2)
            other.join(SOON)
            self.assertEqual((len(count), pauses), (1, [0]))
            self.add(4)  # alone, and told so by there being nobody else
            self.add(5)
        self.assertEqual((len(count), pauses), (3, [0, 0]))
        self.assertEqual(self.values(), [0, 1, 2, 3, 4, 5])

    def test_others_wait(self) -> None:
        """Who had to wait is counted, and runs at once if whoever had the turn lets him."""
        self.add(1)
        self.commits.let_others()
        self.assertEqual(self.commits.queued, 0)
        holder, go_on = self.held()
        thread = threading.Thread(target=self.add, args=(2,))
        thread.start()
        self.queued(1)
        self.assertEqual(self.commits.queued, 1)
        pauses: list[float] = []
        with mock.patch.object(commits, "time", SimpleNamespace(sleep=pauses.append)):
            self.commits.let_others()
        self.assertEqual(len(pauses), 1)
        go_on.set()
        for one in (holder, thread):
            one.join(SOON)

    def test_one_fails(self) -> None:
        """If one of a group fails he alone hears of it, and the others are committed."""
        self.add(3)
        holder, go_on = self.held()
        failed: list[int] = []

        def add(n: int) -> None:
            try:
                self.add(n)
            except StorageError:
                failed.append(n)

        threads = [threading.Thread(target=add, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        self.queued(5)
        go_on.set()
        for thread in (holder, *threads):
            thread.join(SOON)
        self.assertEqual((self.values(), failed), ([0, 1, 2, 3, 4], [3]))
        self.assertGreater(self.undone, 0)

    def test_undone(self) -> None:
        """What fails leaves nothing behind, and the one who remembers things is told."""

        def half(connection: sqlite.Connection) -> None:
            connection.execute("INSERT INTO a VALUES (1)")
            raise KeyError("half way")

        with self.assertRaises(KeyError):
            self.commits.run(half)
        self.assertEqual((self.values(), self.undone), ([], 1))

    def test_close(self) -> None:
        """Who waits when it is closed is served; after that everybody is refused."""
        holder, go_on = self.held()
        adding = threading.Thread(target=self.add, args=(1,))
        adding.start()
        self.queued(1)
        closing = threading.Thread(target=self.commits.close)
        closing.start()
        self.queued(2)
        go_on.set()
        for thread in (holder, adding, closing):
            thread.join(SOON)
        with self.assertRaises(ClosedError):
            self.add(2)
        self.commits.close()


class InterruptionTests(Case):
    """Ctrl-C, wherever it comes, leaves the file to be written to by all threads, durably."""

    def test_at_every_line(self) -> None:
        """Interrupted at any line, nothing hangs afterwards, and what is written then is committed."""
        path = self.folder() / "a.db"
        reader = sqlite.connect(path)
        self.addCleanup(reader.close)
        reader.execute("CREATE TABLE a (x)")
        for atomic, crowded in ((True, False), (False, False), (True, True)):
            line = 0
            while self._interrupted_at(line, path, atomic, crowded):
                line += 1
                for doer in (self._in_this_thread, self._in_another):
                    doer(reader)
            self.assertGreater(line, 10)

    def _interrupted_at(self, line: int, path: Path, atomic: bool, crowded: bool) -> bool:
        """Write a row, interrupted at the *line*-th line that is run; tell whether that was reached."""
        self.commits = Commits(path, lambda: sqlite.connect(path), lambda: None, lambda: None)
        self.commits._crowded = crowded
        self.addCleanup(self.commits.close)
        work = partial(
            self.commits.run, lambda connection: connection.execute("INSERT INTO a VALUES (0)"), atomic=atomic
        )
        return interrupted_at(line, commits.__file__, work)

    def _in_this_thread(self, reader: sqlite.Connection) -> None:
        def count() -> int:
            ((number,),) = reader.execute("SELECT count(*) FROM a")
            return int(number)

        number = count()
        self.commits.run(lambda connection: connection.execute("INSERT INTO a VALUES (1)"), atomic=True)
        self.assertEqual(count(), number + 1)

    def _in_another(self, reader: sqlite.Connection) -> None:
        done = threading.Event()

        def write() -> None:
            self._in_this_thread(reader)
            done.set()

        threading.Thread(target=write, daemon=True).start()
        self.wait(done, "a row of another thread")


class SignalTests(Case):
    """A signal handler that writes, wherever it comes in a write of its own thread: both are kept, once."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.reader = sqlite.connect(self.path)
        self.addCleanup(self.reader.close)
        self.reader.execute("CREATE TABLE a (x UNIQUE)")

    def turns(self, all_last: bool = True) -> Commits:
        made = Commits(self.path, lambda: sqlite.connect(self.path), lambda: None, lambda: None, all_last)
        self.addCleanup(made.close)
        return made

    @staticmethod
    def add(turns: Commits, *rows: str, atomic: bool = False, lasting: bool = True) -> None:
        def work(connection: sqlite.Connection) -> None:
            for row in rows:
                connection.execute("INSERT INTO a VALUES (?)", (row,))

        turns.run(work, atomic=atomic, lasting=lasting)

    def values(self) -> list[str]:
        values = [x for (x,) in self.reader.execute("SELECT x FROM a ORDER BY x")]
        self.reader.execute("DELETE FROM a")
        return values

    def test_at_every_line(self) -> None:
        """Alone, in a single statement and in a transaction of several."""
        for rows, atomic, crowded in ((["1"], True, False), (["1", "2"], False, False), (["1", "2"], False, True)):
            line, reached = 0, True
            while reached:
                turns = self.turns()
                turns._crowded = crowded
                work = partial(self.add, turns, *rows, atomic=atomic)
                reached = signalled_at(line, commits.__file__, work, partial(self.add, turns, "handler"))
                with self.subTest(rows=rows, line=line):
                    self.assertEqual(self.values(), [*rows, *["handler"] * reached])
                thread = threading.Thread(target=self.add, args=(turns, "another"), daemon=True)
                thread.start()
                thread.join(SOON)
                self.assertEqual(self.values(), ["another"])
                line += 1
            self.assertGreater(line, 10)

    def test_in_a_group(self) -> None:
        """While it waits for others, and while it commits for others."""
        for first in (True, False):
            line, reached = 0, True
            while reached:
                with self.subTest(first=first, line=line):
                    reached = self._in_a_group(line, first)
                    line += 1
            self.assertGreater(line, 10)

    def _in_a_group(self, line: int, first: bool) -> bool:
        """Write a row while another thread has the turn and a third one waits, before this one or behind it."""
        turns = self.turns()
        has_it, go_on, handled = threading.Event(), threading.Event(), threading.Event()

        def hold(connection: sqlite.Connection) -> None:
            has_it.set()
            self.wait(go_on)

        def in_order() -> None:
            for number, thread in enumerate((None, other) if first else (other, None), 1):
                if thread is not None:
                    thread.start()
                self.eventually(partial(waits, number), "the next one waits")
            go_on.set()

        def waits(number: int) -> bool:
            return len(turns._queue) >= number or go_on.is_set()

        holder, other, orderly = (
            threading.Thread(target=target)
            for target in (partial(turns.run, hold), partial(self.add, turns, "other"), in_order)
        )
        holder.start()
        self.wait(has_it)
        orderly.start()
        if not first:
            self.eventually(lambda: len(turns._queue) == 1, "the other waits")

        def handle() -> None:
            go_on.set()
            self.add(turns, "handler")
            handled.set()

        signalled_at(line, commits.__file__, partial(self.add, turns, "own"), handle)
        go_on.set()
        for thread in (orderly, holder, other):
            thread.join(SOON)
        self.assertEqual(self.values(), sorted(["own", "other", *["handler"] * handled.is_set()]))
        return handled.is_set()

    def test_durability(self) -> None:
        """A commit that must outlast a power cut is flushed, though the handler's need not be."""
        turns = self.turns(all_last=False)
        flushed: list[int] = []

        def work(connection: sqlite.Connection) -> None:
            if not flushed:
                self.add(turns, "handler", lasting=False)
            flushed.append(int(connection.pragma("synchronous")))

        turns.run(work)
        self.assertEqual((flushed, self.values()), ([2, 2], ["handler"]))

    def test_handler_fails(self) -> None:
        """What the handler's write raises is the handler's; the other is kept, and so it is if the handler catches it."""
        turns = self.turns()
        tries: list[int] = []

        def work(connection: sqlite.Connection) -> None:
            tries.append(1)
            connection.execute("INSERT INTO a VALUES ('own')")
            if len(tries) == 1:
                with self.assertRaises(StorageError):
                    self.add(turns, "twice", "twice")

        turns.run(work)
        self.assertEqual((len(tries), self.values()), (2, ["own"]))

    def test_handler_ends_it(self) -> None:
        """What the handler raises after it has written ends the other's write, of which nothing is kept."""
        turns = self.turns()

        def work(connection: sqlite.Connection) -> None:
            connection.execute("INSERT INTO a VALUES ('own')")
            self.add(turns, "handler")
            raise SystemExit

        with self.assertRaises(SystemExit):
            turns.run(work)
        self.add(turns, "later")
        self.assertEqual(self.values(), ["handler", "later"])

    def test_close(self) -> None:
        """It may close the file; the other's write is done, and nothing after it."""
        turns = self.turns()
        turns.run(lambda connection: turns.close())
        with self.assertRaises(ClosedError):
            self.add(turns, "late")

    def test_while_forking(self) -> None:
        """Where the file must not be touched it is refused."""
        turns = self.turns()
        self.assertTrue(turns.hold(1))
        with self.assertRaisesRegex(LoggerError, "just when its process was forking"):
            self.add(turns, "handler")
        turns.release()
        self.add(turns, "later")
        self.assertEqual(self.values(), ["later"])
