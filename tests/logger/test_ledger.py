"""The ledger, under everything that is done to a file at once: it adds up, and every point that was accepted can be found."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectordb.exceptions import LoggerError, LoggerFull
from connectordb.logger.clocks.judgement import PLAUSIBLE
from connectordb.logger.limits import Limits
from connectordb.logger.records import Row
from connectordb.logger.rows.status import Activity
from connectordb.logger.rows.store import Store
from tests.support.clock import SteppedClock
from tests.support.logger_cases import add, noted, waiting

START = PLAUSIBLE + 1e8
NAMES = st.sampled_from("ab")
#: The times of users: around the time of the clock, on both sides.
TIMES = st.integers(-20, 20)
PICKED = st.sets(st.integers(0, 5), min_size=1)
OUTCOMES = st.sampled_from(["stored", "some", "held", "refused", "refused", "nothing"])


class LedgerMachine(RuleBasedStateMachine):
    """Whatever is done: the numbers add up, no id comes twice, times increase, and it is known what became of each point."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="connectordb-test-")
        self.clock = SteppedClock(START)
        self.values = 0
        #: value → the id that it was accepted under
        self.receipts: dict[str, int] = {}
        self.confirmed: set[str] = set()
        self.accepted = 0
        self.may_exceed = False
        self.highest = {"a": 0, "b": 0}
        self.seen: set[int] = set()
        self.notes: dict[str, list[Row]] = {}

    @initialize(
        max_points=st.sampled_from([None, 1, 4, 12]),
        max_age=st.sampled_from([None, 10.0]),
        on_full=st.sampled_from(["raise", "drop_oldest", "drop_newest", "thin"]),
    )
    def begin(self, max_points: int | None, max_age: float | None, on_full: Any) -> None:
        self.limits = Limits(max_points, None, max_age, on_full if max_points else "raise")
        self.open()
        self.streams = {name: add(self.store, name) for name in "ab"}

    def open(self) -> None:
        self.store = Store(f"{self.folder}/a.db", "normal", self.limits, self.clock)

    def value(self) -> str:
        self.values += 1
        return str(self.values)

    def rows(self, name: str) -> list[Row]:
        """Return what waits of a stream."""
        first = self.store.held.first_waiting(self.streams[name])
        return [row for row in waiting(self.store, self.streams[name]) if row.id >= first]

    # --- adding ---------------------------------------------------------------------------------------------------------

    @rule(name=NAMES, passes=st.integers(0, 4))
    def append(self, name: str, passes: int) -> None:
        self.clock.advance(passes)
        value = self.value()
        try:
            id, _ = self.store.points.append(self.streams[name], self.clock.wall(), value, 0)
        except LoggerFull:
            assert self.limits.on_full == "raise"
            return
        self.receipts[value] = id
        self.accepted += 1

    @rule(name=NAMES, t=TIMES, restamp=st.booleans())
    def append_at(self, name: str, t: int, restamp: bool) -> None:
        value, now = self.value(), self.clock.wall()
        try:
            id, _, is_aside = self.store.points.append_at(self.streams[name], now + t, value, now, restamp)
        except LoggerFull:
            return
        assert not (is_aside and restamp)
        self.receipts[value] = id
        self.accepted += 1

    @rule(points=st.dictionaries(NAMES, st.lists(TIMES, max_size=6)), restamp=st.booleans())
    def append_many(self, points: dict[str, list[int]], restamp: bool) -> None:
        now = self.clock.wall()
        given = {name: [(now + t, self.value()) for t in times] for name, times in points.items()}
        try:
            self.store.points.append_many({self.streams[name]: rows for name, rows in given.items()}, now, restamp)
        except LoggerFull:
            return
        self.accepted += sum(map(len, given.values()))
        for name in given:
            new = {d for _, d in given[name]}
            self.receipts.update({row.d: row.id for row in waiting(self.store, self.streams[name]) if row.d in new})

    # --- what a sync does -----------------------------------------------------------------------------------------------

    @rule(name=NAMES, number=st.integers(1, 4))
    def note(self, name: str, number: int) -> None:
        rows = self.rows(name)[:number]
        if rows and name not in self.notes:
            self.store.notes.write(noted(self.streams[name], rows))
            self.notes[name] = rows

    @rule(name=NAMES, outcome=OUTCOMES, picked=PICKED)
    def settle(self, name: str, outcome: str, picked: set[int]) -> None:
        rows = self.notes.pop(name, None)
        if rows is None:
            return
        stream = self.streams[name]
        # rows in a note stay as they are
        assert [row for row in waiting(self.store, stream) if rows[0].id <= row.id <= rows[-1].id] == rows
        ids = [row.id for row in rows]
        confirmed, aside = [], []
        if outcome == "held":
            self.store.held.hold(noted(stream, rows), ids[-1], self.clock.wall())
            self.confirmed.update(row.d for row in rows)
            return
        if outcome == "stored":
            confirmed = rows
        elif outcome in ("some", "refused"):
            chosen = [row for at, row in enumerate(rows) if at in picked]
            confirmed, aside = (chosen, []) if outcome == "some" else ([], chosen)
        self.store.notes.resolve(
            stream, [row.id for row in confirmed], [row.id for row in aside], "refused", self.clock.wall()
        )
        self.confirmed.update(row.d for row in confirmed)

    @rule(name=NAMES, number=st.integers(1, 4), outcome=OUTCOMES, picked=PICKED)
    def send(self, name: str, number: int, outcome: str, picked: set[int]) -> None:
        self.note(name, number)
        self.settle(name, outcome, picked)

    @rule(name=NAMES, kept=st.booleans(), picked=PICKED)
    def look_again(self, name: str, kept: bool, picked: set[int]) -> None:
        batches = self.store.held.of(self.streams[name])
        if not batches:
            return
        if kept:
            self.store.held.release(batches[0])
            return
        if name in self.notes:
            return  # that is settled first
        first = self.store.held.first_waiting(self.streams[name])
        rows = [row for row in waiting(self.store, self.streams[name]) if row.id < first]
        lost = [row for at, row in enumerate(rows) if at in picked]
        self.store.held.lose(self.streams[name], [row.id for row in lost])
        self.confirmed -= {row.d for row in lost}
        self.may_exceed = True  # they are there again

    # --- what a program does --------------------------------------------------------------------------------------------

    @rule(picked=PICKED, restamp=st.booleans())
    def retry(self, picked: set[int], restamp: bool) -> None:
        ids = [point.id for at, point in enumerate(self.store.aside.points()) if at in picked]
        try:
            assert self.store.aside.retry(ids, restamp=restamp) == len(ids)
        except LoggerError:
            assert not restamp

    @rule(picked=PICKED)
    def drop_rejected(self, picked: set[int]) -> None:
        ids = [point.id for at, point in enumerate(self.store.aside.points()) if at in picked]
        assert self.store.aside.drop(ids) == len(ids)

    @rule(seconds=st.integers(0, 15))
    def expire(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.store.bounds.expire()

    @precondition(lambda self: self.values % 4 == 0)
    @rule()
    def clear(self) -> None:
        self.store.notes.clear()
        self.notes.clear()
        assert self.store.points.waiting() == 0

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open()

    @precondition(lambda self: self.values % 3 == 0)
    @rule(name=NAMES)
    def another_process(self, name: str) -> None:
        other = Store(f"{self.folder}/a.db", "normal")
        value = self.value()
        self.receipts[value], _ = other.points.append(self.streams[name], self.clock.wall(), value, 0)
        other.close()
        self.accepted += 1
        self.may_exceed = True  # it knows of no bounds

    # --- what holds -----------------------------------------------------------------------------------------------------

    @invariant()
    def adds_up(self) -> None:
        status = self.store.status(self.clock.wall(), Activity(False, False, False, None))
        assert status.accepted == self.accepted
        aside = self.store.aside.points()
        for name, one in status.streams.items():
            assert one.accepted == one.confirmed + one.waiting + one.aside + one.dropped
            rows = self.rows(name)
            assert one.waiting == len(rows)
            assert one.aside == sum(point.stream == name for point in aside)
            assert one.oldest == (rows[0].t if rows else None)
        if self.limits.max_points is not None and not self.may_exceed:
            assert status.waiting + status.aside <= self.limits.max_points

    @invariant()
    def ids_and_times(self) -> None:
        aside = self.store.aside.points()
        for name, stream in self.streams.items():
            rows = waiting(self.store, stream)
            assert all(one.t < two.t for one, two in zip(rows, rows[1:], strict=False))
            ids = {row.id for row in rows} | {point.id for point in aside if point.stream == name}
            new = ids - self.seen
            assert not new or min(new) > self.highest[name]
            self.highest[name] = max([self.highest[name], *ids])
            self.seen |= ids

    @invariant()
    def found(self) -> None:
        aside = {str(point.d) for point in self.store.aside.points()}
        there = {row.d for name in self.streams for row in self.rows(name)}
        for value, id in self.receipts.items():
            expected = (
                "waiting"
                if value in there
                else "set aside"
                if value in aside
                else "stored"
                if value in self.confirmed
                else "dropped"
            )
            assert self.store.tracing.look(id).state == expected, (value, id & 2**40 - 1, expected)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        shutil.rmtree(self.folder)


LedgerMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
LedgerMachineTests = LedgerMachine.TestCase
