"""Tests of `connectordb.logger.rows.store`, and of `tails` and `commits` below it."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectordb.logger.rows.store import Store
from tests.support.case import SOON
from tests.support.logger_cases import StoreCase, add, noted, waiting


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
        self.store.points.append(self.streams[name], float(t), value, 0)
        at = waiting(self.store, self.streams[name])[-1].t
        assert at == t if t > self.last[name] else self.last[name] < at < self.last[name] + 1e-3
        self.last[name] = at
        self.rows[name].append((at, value))
        self.counts[name]["accepted"] += 1

    @rule(points=st.dictionaries(st.sampled_from("ab"), st.lists(st.integers(1, 9), max_size=4)))
    def append_many(self, points: dict[str, list[int]]) -> None:
        given = {name: [(float(t), self.value()) for t in times] for name, times in points.items()}
        self.store.points.append_many({self.streams[name]: rows for name, rows in given.items()}, 5.0)
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
        self.store.notes.write(note)
        assert self.store.notes.of(stream) == note
        self.sent[name] = max(self.sent[name], rows[-1].t)
        confirmed = [row.id for at, row in enumerate(rows) if at not in kept]
        aside = [row.id for at, row in enumerate(rows) if at in kept and at % 2]
        self.store.notes.resolve(stream, confirmed, aside, "because", 1.0)
        assert self.store.notes.of(stream) is None
        gone = {row.d for row in rows if row.id in confirmed or row.id in aside}
        self.rows[name] = [row for row in self.rows[name] if row[1] not in gone]
        self.counts[name].update(confirmed=len(confirmed), aside=len(aside))

    @rule(name=st.sampled_from("ab"))
    def move(self, name: str) -> None:
        stream = self.streams[name]
        rows = waiting(self.store, stream)[:1]
        if rows:
            self.store.notes.write(noted(stream, rows))
            self.store.notes.move(noted(stream, rows))
            assert self.store.notes.sent_times(rows[0].id, rows[0].id) == {rows[0].id: [rows[0].t]}
            self.store.notes.resolve(stream)
            now = waiting(self.store, stream)
            assert now[0].t > rows[0].t
            self.rows[name] = [(row.t, row.d) for row in now]
            self.last[name] = max(self.last[name], now[-1].t)
            self.sent[name] = max(self.sent[name], now[0].t)

    @rule()
    def clear(self) -> None:
        self.store.notes.clear()
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
        other.points.append(self.streams[name], 1.0, value, 0)
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
        assert self.store.points.waiting() == sum(map(len, self.rows.values()))
        for ledger in self.store.points.ledgers():
            counts = self.counts[ledger.name]
            assert (
                ledger.accepted
                == counts["accepted"]
                == ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped
            )
            assert (ledger.confirmed, ledger.aside, ledger.dropped) == tuple(
                counts[what] for what in ("confirmed", "aside", "dropped")
            )
        assert len(self.store.aside.points()) == sum(counts["aside"] for counts in self.counts.values())

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


StoreMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
StoreMachineTests = StoreMachine.TestCase

_LOG = """
import sys
from connectordb.logger.rows.store import Store
store = Store(sys.argv[1])
stream = store.catalogue.streams()[0].id
for n in range(int(sys.argv[2]), 10**9):
    store.points.append(stream, 1.0, str(n), 0)
    print(n, flush=True)
"""


class StoreTests(StoreCase):
    """The file keeps what it accepted."""

    def test_threads(self) -> None:
        """Sixteen threads insert at once: every point is there, in strict order of time."""

        def insert(thread: int) -> None:
            for n in range(50):
                self.store.points.append(self.stream, 1000.0 + n, f"{thread * 1000 + n}", 0)

        threads = [threading.Thread(target=insert, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        rows = waiting(self.store, self.stream)
        self.assertEqual({int(row.d) for row in rows}, {t * 1000 + n for t in range(16) for n in range(50)})
        self.assertTrue(all(one.t < two.t for one, two in zip(rows, rows[1:], strict=False)))
        self.assertEqual(self.store.points.waiting(), 800)

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
            self.store.points.append(self.stream, 1.0, str(10_000 + n), 0)
        for process in processes:
            process.join(SOON)
            self.assertEqual(process.exitcode, 0)
            process.close()
        rows = waiting(self.store, self.stream)
        self.assertEqual(len({row.d for row in rows}), 300)
        self.assertEqual(self.store.points.waiting(), 300)
        self.assertTrue(all(one.t < two.t for one, two in zip(rows, rows[1:], strict=False)))


def _insert(path: Path, number: int) -> None:
    store = Store(path)
    for n in range(100):
        store.points.append(store.catalogue.streams()[0].id, 1.0, str(number * 1000 + n), 0)
    store.close()
