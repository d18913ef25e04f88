"""Tests of `connectordb.logger.store`, and of `tails` and `commits` below it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import apsw
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectordb.exceptions import ClosedError, StorageError, StorageFull
from connectordb.logger.records import Note, Row
from connectordb.logger.store import Store
from tests.support.case import SOON, Case

ALL = 2**62


def add(store: Store, name: str) -> int:
    store.put_stream(name, "{}")
    return {stream.name: stream.id for stream in store.streams()}[name]


def waiting(store: Store, stream: int) -> list[Row]:
    return store.rows(stream << 40, (stream << 40) | (2**40 - 1), ALL, ALL)


def noted(stream: int, rows: list[Row]) -> Note:
    return Note(stream, rows[0].id, rows[-1].id, "http://x", "key", "u/d/s", 0, None)


class StoreMachine(RuleBasedStateMachine):
    """Whatever is done to the file, and however often it is opened anew, it holds what a dict would."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="connectordb-test-")
        self.store = Store(f"{self.folder}/a.db")
        self.streams = {name: add(self.store, name) for name in "ab"}
        self.rows: dict[str, list[tuple[float, str]]] = {"a": [], "b": []}
        self.counts = {name: Counter[str]() for name in "ab"}
        self.ids: dict[str, set[int]] = {"a": set(), "b": set()}
        self.last = {"a": 0.0, "b": 0.0}
        self.sent = {"a": 0.0, "b": 0.0}
        self.values = 0

    def value(self) -> str:
        self.values += 1
        return str(self.values)

    @rule(name=st.sampled_from("ab"), t=st.integers(1, 9))
    def append(self, name: str, t: int) -> None:
        value = self.value()
        self.store.append(self.streams[name], float(t), value, 0)
        at = waiting(self.store, self.streams[name])[-1].t
        assert at == t if t > self.last[name] else self.last[name] < at < self.last[name] + 1e-3
        self.last[name] = at
        self.rows[name].append((at, value))
        self.counts[name]["accepted"] += 1

    @rule(points=st.dictionaries(st.sampled_from("ab"), st.lists(st.integers(1, 9), max_size=4)))
    def append_many(self, points: dict[str, list[int]]) -> None:
        given = {name: [(float(t), self.value()) for t in times] for name, times in points.items()}
        self.store.append_many({self.streams[name]: rows for name, rows in given.items()}, 5.0)
        for name, rows in given.items():
            old = [row for row in rows if row[0] < self.sent[name]]
            self.counts[name].update(accepted=len(rows), aside=len(old))
            self.rows[name].extend(row for row in rows if row not in old)
            # moved by small steps at most, so that whole seconds tell the order
            self.rows[name].sort(key=lambda row: int(row[0] + 0.5))
            now = waiting(self.store, self.streams[name])
            assert {row.d for row in now} == {d for _, d in self.rows[name]}
            for row, (t, _) in zip(
                sorted(now, key=lambda row: int(row.d)),
                sorted(self.rows[name], key=lambda row: int(row[1])),
                strict=True,
            ):
                assert t <= row.t < t + 1e-3
            self.rows[name] = [(row.t, row.d) for row in now]
            self.last[name] = max([self.last[name], *(row.t for row in now)])

    @rule(name=st.sampled_from("ab"), number=st.integers(1, 4), kept=st.sets(st.integers(0, 3)))
    def resolve(self, name: str, number: int, kept: set[int]) -> None:
        stream = self.streams[name]
        rows = waiting(self.store, stream)[:number]
        if not rows:
            return
        note = noted(stream, rows)
        self.store.write_note(note)
        assert self.store.note(stream) == note
        self.sent[name] = max(self.sent[name], rows[-1].t)
        confirmed = [row.id for at, row in enumerate(rows) if at not in kept]
        aside = [row.id for at, row in enumerate(rows) if at in kept and at % 2]
        self.store.resolve(stream, confirmed, aside, "because", 1.0)
        assert self.store.note(stream) is None
        gone = {row.d for row in rows if row.id in confirmed or row.id in aside}
        self.rows[name] = [row for row in self.rows[name] if row[1] not in gone]
        self.counts[name].update(confirmed=len(confirmed), aside=len(aside))

    @rule(name=st.sampled_from("ab"))
    def move(self, name: str) -> None:
        stream = self.streams[name]
        rows = waiting(self.store, stream)[:1]
        if rows:
            self.store.write_note(noted(stream, rows))
            self.store.move(noted(stream, rows))
            assert self.store.sent_times(rows[0].id, rows[0].id) == {rows[0].id: [rows[0].t]}
            self.store.resolve(stream)
            now = waiting(self.store, stream)
            assert now[0].t > rows[0].t
            self.rows[name] = [(row.t, row.d) for row in now]
            self.last[name] = max(self.last[name], now[-1].t)
            self.sent[name] = max(self.sent[name], now[0].t)

    @rule()
    def clear(self) -> None:
        self.store.clear()
        for name in "ab":
            self.counts[name]["dropped"] += len(self.rows[name])
            self.rows[name] = []

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(f"{self.folder}/a.db")

    @precondition(lambda self: self.values % 3 == 0)
    @rule(name=st.sampled_from("ab"))
    def another_process(self, name: str) -> None:
        other = Store(f"{self.folder}/a.db")
        value = self.value()
        other.append(self.streams[name], 1.0, value, 0)
        at = waiting(other, self.streams[name])[-1].t
        other.close()
        self.rows[name].append((at, value))
        self.last[name] = at
        self.counts[name]["accepted"] += 1

    @invariant()
    def same(self) -> None:
        for name, stream in self.streams.items():
            rows = waiting(self.store, stream)
            assert [(row.t, row.d) for row in rows] == self.rows[name]
            assert all(one.t < two.t for one, two in zip(rows, rows[1:], strict=False))
            # an id that was given away is not given away again
            new = {row.id for row in rows} - self.ids[name]
            assert not new or min(new) > max(self.ids[name], default=0)
            self.ids[name] |= new
        assert len(self.store) == sum(map(len, self.rows.values()))
        for ledger in self.store.ledgers():
            counts = self.counts[ledger.name]
            assert (
                ledger.accepted
                == counts["accepted"]
                == ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped
            )
            assert (ledger.confirmed, ledger.aside, ledger.dropped) == tuple(
                counts[what] for what in ("confirmed", "aside", "dropped")
            )
        assert len(self.store.rejected()) == sum(counts["aside"] for counts in self.counts.values())

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


StoreMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
StoreMachineTests = StoreMachine.TestCase

_LOG = """
import sys
from connectordb.logger.store import Store
store = Store(sys.argv[1])
stream = store.streams()[0].id
for n in range(int(sys.argv[2]), 10**9):
    store.append(stream, 1.0, str(n), 0)
    print(n, flush=True)
"""


class StoreTests(Case):
    """The file keeps what it accepted."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.store = Store(self.path)
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")

    def test_threads(self) -> None:
        """Sixteen threads insert at once: every point is there, in strict order of time."""

        def insert(thread: int) -> None:
            for n in range(50):
                self.store.append(self.stream, 1000.0 + n, f"{thread * 1000 + n}", 0)

        threads = [threading.Thread(target=insert, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        rows = waiting(self.store, self.stream)
        self.assertEqual({int(row.d) for row in rows}, {t * 1000 + n for t in range(16) for n in range(50)})
        self.assertTrue(all(one.t < two.t for one, two in zip(rows, rows[1:], strict=False)))
        self.assertEqual(len(self.store), 800)

    def test_threads_against_a_sync(self) -> None:
        """While threads insert, others take rows off and look: the sum is right."""
        done = threading.Event()

        def confirm() -> None:
            while not done.is_set():
                rows = waiting(self.store, self.stream)[:7]
                if rows:
                    self.store.write_note(noted(self.stream, rows))
                    self.store.resolve(self.stream, [row.id for row in rows])

        def insert() -> None:
            for n in range(100):
                self.store.append(self.stream, 1.0, str(n), 0)

        confirming = threading.Thread(target=confirm)
        inserting = [threading.Thread(target=insert) for _ in range(4)]
        for thread in (confirming, *inserting):
            thread.start()
        for thread in inserting:
            thread.join(SOON)
        done.set()
        confirming.join(SOON)
        (ledger,) = self.store.ledgers()
        self.assertEqual(ledger.accepted, 400)
        self.assertEqual(ledger.waiting + ledger.confirmed, 400)

    def test_kill(self) -> None:
        """A process that is killed while it logs loses nothing that it was told of, and nothing is there twice."""
        told = 0
        for _ in range(3):
            process = subprocess.Popen(
                [sys.executable, "-c", _LOG, str(self.path), str(told)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            for line in process.stdout:
                told = int(line) + 1
                if told % 40 == 0:
                    process.send_signal(signal.SIGKILL)
                    break
            for line in process.stdout:  # what it had said by then
                told = int(line) + 1
            process.stdout.close()
            process.wait(SOON)
            values = [int(row.d) for row in waiting(self.store, self.stream)]
            self.assertEqual(values[:told], list(range(told)))
            self.assertLessEqual(len(values), told + 1)  # one may be in the file that nobody was told of
            told = len(values)

    def test_two_processes(self) -> None:
        """Two processes insert into one file at once."""
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=_insert, args=(self.path, n), daemon=True) for n in range(2)]
        for process in processes:
            process.start()
        for n in range(100):
            self.store.append(self.stream, 1.0, str(10_000 + n), 0)
        for process in processes:
            process.join(SOON)
            self.assertEqual(process.exitcode, 0)
            process.close()
        rows = waiting(self.store, self.stream)
        self.assertEqual(len({row.d for row in rows}), 300)
        self.assertEqual(len(self.store), 300)
        self.assertTrue(all(one.t < two.t for one, two in zip(rows, rows[1:], strict=False)))

    def test_ids_after_a_cut(self) -> None:
        """Ids of rows that are gone are not used again, also after the file was opened anew."""
        self.store.append(self.stream, 1.0, "1", 0)
        (row,) = waiting(self.store, self.stream)
        self.store.resolve(self.stream, [row.id])
        self.store.close()
        with_new = Store(self.path)
        self.addCleanup(with_new.close)
        with_new.append(self.stream, 0.5, "2", 0)
        (again,) = waiting(with_new, self.stream)
        self.assertGreater(again.id, row.id)
        self.assertGreater(again.t, row.t)

    def test_full_disk(self) -> None:
        """A full disk is a clear error that loses nothing, and the rest of a group does not suffer."""
        self.store.append(self.stream, 1.0, "1", 0)
        connection = self.store._commits._connection
        connection.pragma("max_page_count", int(connection.pragma("page_count")))
        with self.assertRaises(StorageFull):
            for _ in range(1000):
                self.store.append(self.stream, 1.0, '"' + "x" * 500 + '"', 0)
        before = len(self.store)
        self.assertEqual(before, len(waiting(self.store, self.stream)))
        connection.pragma("max_page_count", 10**6)
        self.store.append(self.stream, 1.0, "2", 0)
        self.assertEqual(len(self.store), before + 1)

    def test_all_or_nothing(self) -> None:
        """A failing insert of many leaves nothing behind."""
        connection = self.store._commits._connection
        connection.pragma("max_page_count", int(connection.pragma("page_count")) + 2)
        with self.assertRaises(StorageFull):
            self.store.append_many({self.stream: [(float(n + 1), '"' + "x" * 99 + '"') for n in range(1000)]}, 1.0)
        self.assertEqual(len(self.store), 0)
        connection.pragma("max_page_count", 10**6)
        self.store.append(self.stream, 1.0, "2", 0)
        self.assertEqual([row.id & (2**40 - 1) for row in waiting(self.store, self.stream)], [1])

    def test_closed(self) -> None:
        """After close nothing is written or read; closing again does nothing."""
        self.store.close()
        self.store.close()
        with self.assertRaises(ClosedError):
            self.store.append(self.stream, 1.0, "1", 0)
        with self.assertRaises(ClosedError):
            len(self.store)

    def test_settings(self) -> None:
        """Settings of any JSON kind are there again."""
        self.store.save(apikey="k", data={"a": [1, None]})
        self.store.save(apikey="l")
        self.assertEqual(self.store.settings(), {"apikey": "l", "data": {"a": [1, None]}})

    def test_private(self) -> None:
        """The file, which holds a key, can be read by its owner only."""
        self.assertEqual(os.stat(self.path).st_mode & 0o77, 0)

    def test_durable(self) -> None:
        """The writing connection flushes every commit."""
        connection = self.store._commits._connection
        self.assertEqual((connection.pragma("journal_mode"), connection.pragma("synchronous")), ("wal", 2))

    def test_rows_in_pages(self) -> None:
        """Rows come up to a number and a size, but so many at least."""
        for n in range(5):
            self.store.append(self.stream, 1.0, f'"{n}{"x" * 100}"', 0)
        first, last = self.stream << 40, self.store.newest()[self.stream]
        self.assertEqual(len(self.store.rows(first, last, 3, ALL)), 3)
        self.assertEqual(len(self.store.rows(first, last, 5, 300)), 2)
        self.assertEqual(len(self.store.rows(first, last, 5, 1, at_least=2)), 2)


class BadFileTests(Case):
    """What is no Logger's file is refused with words that help, and not touched."""

    def test_directory(self) -> None:
        """A directory is refused."""
        with self.assertRaisesRegex(StorageError, "directory"):
            Store(self.folder())

    def test_not_sqlite(self) -> None:
        """A file of another kind is refused, and stays as it is."""
        path = self.folder() / "a.db"
        path.write_text("hello " * 1000)
        with self.assertRaisesRegex(StorageError, "no SQLite file"):
            Store(path)
        self.assertEqual(path.read_text(), "hello " * 1000)

    def test_other_database(self) -> None:
        """An SQLite file of something else is refused, and gets no tables of ours."""
        path = self.folder() / "a.db"
        connection = apsw.Connection(str(path))
        connection.execute("CREATE TABLE bookmarks (url)")
        connection.close()
        with self.assertRaisesRegex(StorageError, r"no Logger's cache \(its tables: bookmarks\)"):
            Store(path)

    def test_newer(self) -> None:
        """A file of a newer version is refused."""
        path = self.folder() / "a.db"
        Store(path).close()
        connection = apsw.Connection(str(path))
        connection.pragma("user_version", 99)
        connection.close()
        with self.assertRaisesRegex(StorageError, "newer version"):
            Store(path)

    def test_no_folder(self) -> None:
        """A path below nothing is refused."""
        with self.assertRaisesRegex(StorageError, "give a path where a file can be made"):
            Store(self.folder() / "nowhere" / "a.db")


def _insert(path: Path, number: int) -> None:
    store = Store(path)
    for n in range(100):
        store.append(store.streams()[0].id, 1.0, str(number * 1000 + n), 0)
    store.close()
