"""Tests of `connectordb.logger.rows.corrections`: real files, clocks that a test moves, and a server."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connectordb.logger.clocks.eras import STEP, Eras
from connectordb.logger.clocks.judgement import BOUND
from connectordb.logger.records import Coming, Note, Row
from connectordb.logger.rows import corrections
from connectordb.logger.rows.corrections import Ready
from connectordb.logger.rows.status import Activity
from connectordb.logger.rows.store import Store
from connectordb.logger.sync.passes import Pass
from connectordb.protocol.constants import INSERT_BYTES_LIMIT
from tests.support.case import SOON, Case
from tests.support.clock import SteppedClock
from tests.support.logger_cases import NOWHERE, WAIT, OpenCase, PassCase, add, waiting

HOUR, DAY, YEAR = 3600.0, 86_400.0, 3.2e7
#: A day in 2026, to the second.
NOW = 1.79e9


def coming(stream: int, first: int, ready: Ready, batch: int) -> Coming:
    """Return a batch of what is ready from a row on."""
    note = Note(stream, first, ready.upto, "http://x", "k", "u/d/s", 0, None)
    return Coming(note, batch, INSERT_BYTES_LIMIT, 2)


class World:
    """A machine with a file, its clocks, and the right time."""

    def __init__(self, folder: str) -> None:
        self.path = f"{folder}/a.db"
        self.truth = NOW
        self.clock = SteppedClock(NOW)
        self.stores: list[Store] = []
        self.open()

    def open(self) -> None:
        """Open the file, as two processes."""
        for store in self.stores:
            store.close()
        self.stores = [Store(self.path), Store(self.path)]
        self.eras = [Eras(store.catalogue.era, self.clock) for store in self.stores]

    @property
    def store(self) -> Store:
        """The first process's."""
        return self.stores[0]

    def close(self) -> None:
        """Close the file."""
        for store in self.stores:
            store.close()

    def off(self, seconds: float) -> None:
        """Set the wall clock to be off by so much."""
        self.clock.step(self.truth + seconds - self.clock.wall())

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.truth += seconds
        self.clock.advance(seconds)

    def reboot(self, off: float, seconds: float = 60.0) -> None:
        """Turn the machine off for a while; then its wall clock is off by so much."""
        self.truth += seconds
        self.clock.reboot(self.truth + off)
        self.open()

    def log(self, stream: int, value: int, process: int = 0) -> None:
        """Log a value as `Logger.insert` does."""
        now = self.clock.wall()
        self.stores[process].points.append(stream, now, str(value), self.eras[process].at(now))

    def date(self) -> float:
        """Return what a server says that time it is: whole seconds, taken for half a second more."""
        return float(int(self.truth)) + 0.5

    def sync(self, stream: int, batch: int = 5000, restamp: bool = False) -> tuple[list[Row], Ready]:
        """Take off what may be sent now, batch by batch; return the rows, and what was said of the rest."""
        judge = self.store.corrections(self.clock, self.date, restamp)
        sent: list[Row] = []
        upto = self.store.points.newest().get(stream, 0)
        first = self.store.held.first_waiting(stream)
        ready = judge.ready(stream, first, upto)
        begun = self.store.notes.begin(coming(stream, first, ready, batch))
        while begun is not None:
            rows = self.store.points.rows(begun[0].first, begun[0].last, batch, 2**60)
            sent += rows
            first = rows[-1].id + 1
            ready = judge.ready(stream, first, upto)
            then = coming(stream, first, ready, batch)
            begun = self.store.notes.resolve(stream, [row.id for row in rows], then=then)
        return sent, ready


class WorldCase(Case):
    """A machine in the year 2026, with one stream."""

    def setUp(self) -> None:
        super().setUp()
        self.world = World(str(self.folder()))
        self.addCleanup(self.world.close)
        self.stream = add(self.world.store, "s")
        self.values = 0

    def log(self, *gaps: float, off: float | None = None) -> None:
        """Log values, each so many seconds after the one before."""
        if off is not None:
            self.world.off(off)
        for gap in gaps:
            self.world.passes(gap)
            self.values += 1
            self.world.log(self.stream, self.values)

    def give(self, *times: float) -> None:
        """Log values with times of the user's, from `NOW` on."""
        points = []
        for t in times:
            self.values += 1
            points.append((NOW + t, str(self.values)))
        self.world.store.points.append_many({self.stream: points}, self.world.clock.wall())

    def sync(self, **options: bool) -> list[tuple[str, float]]:
        """Return the values that may be sent, and their times since `NOW`."""
        rows, self.ready = self.world.sync(self.stream, **options)
        return [(row.d, round(row.t - NOW, 3)) for row in rows]

    def column(self, name: str) -> float:
        with self.world.store._file.reading() as connection:
            ((value,),) = connection.execute(f"SELECT {name} FROM stream WHERE id = ?", (self.stream,))
            return float(value)


class CorrectionsTests(WorldCase):
    """Points get the times at which they were logged."""

    def test_set_by_a_time_server(self) -> None:
        """What a board logged in 1970 has its right time once the clock is set."""
        self.log(1, 1, off=-NOW)
        self.log(1, 1, off=0)
        self.assertEqual(self.sync(), [("1", 1), ("2", 2), ("3", 3), ("4", 4)])
        self.assertEqual(self.column("corrected"), 2)

    def test_never_set(self) -> None:
        """A clock that is never set is corrected by the server's, pass after pass, and across a restart."""
        self.log(1, 1, off=-NOW - 86_400)
        first = self.sync()
        self.log(1)
        self.world.open()
        self.log(1)
        times = [t for _, t in first + self.sync()]
        for t, right in zip(times, (1, 2, 3, 4), strict=True):
            self.assertAlmostEqual(t, right, delta=1)
        self.assertEqual(self.column("corrected"), 4)

    def test_set_back(self) -> None:
        """After a clock ran ahead, points logged since have their own times, and those before are corrected."""
        self.log(1, 1, off=10 * YEAR)
        self.log(1, 1, off=0)
        self.assertEqual(self.sync(), [("1", 1), ("2", 2), ("3", 3), ("4", 4)])
        self.assertEqual(self.column("corrected"), 2)
        # the stream goes on from there
        self.assertAlmostEqual(self.column("last"), NOW + 4, delta=1e-3)
        self.log(1)
        self.assertEqual(self.sync(), [("5", 5)])

    def test_set_back_while_logging(self) -> None:
        """Another process that goes on at the wrong end of the stream looks at it again."""
        self.log(1, off=10 * YEAR)
        self.world.log(self.stream, 2, process=1)
        self.world.off(0)
        judge = self.world.store.corrections(self.world.clock, self.world.date, False)
        judge.ready(self.stream, self.stream << 40, 2**62)
        self.world.passes(1)
        self.world.log(self.stream, 3, process=1)
        rows = waiting(self.world.store, self.stream)
        self.assertEqual([round(row.t - NOW, 3) for row in rows], [1, 1, 2])

    def test_minutes(self) -> None:
        """A clock that is some minutes off is the user's business."""
        self.log(1, 1, off=600)
        self.assertEqual(self.sync(), [("1", 601), ("2", 602)])
        self.assertEqual(self.column("corrected"), 0)

    def test_sleep(self) -> None:
        """A laptop that slept has had no step of its clock."""
        self.log(1)
        self.world.truth += 8 * HOUR
        self.world.clock.sleep(8 * HOUR)
        self.log(1)
        self.assertEqual(self.sync(), [("1", 1), ("2", 8 * HOUR + 2)])

    def test_earlier_boot(self) -> None:
        """What was logged before the machine started is corrected if the clock was set in that time, else sent as it is."""
        self.log(1, off=-NOW)
        self.log(1, off=0)
        self.world.reboot(off=-NOW)
        self.log(1)
        self.assertEqual([t for _, t in self.sync()][:2], [1, 2])
        self.world.reboot(off=-NOW)
        self.world.passes(5)
        self.log(1)
        self.world.reboot(off=0)
        self.log(1)
        (_, unknown), (_, known) = self.sync()
        self.assertAlmostEqual(unknown, 63, delta=1)  # just behind what was sent
        self.assertAlmostEqual(known, self.world.truth - NOW, delta=1)

    def test_judged_before(self) -> None:
        """What an earlier pass of that boot found out holds after the machine started anew."""
        self.log(1, off=-NOW)
        self.sync()
        self.log(1)
        self.world.reboot(off=0)
        self.assertEqual([value for value, t in self.sync() if abs(t - 2) < 1], ["2"])

    def test_no_clock(self) -> None:
        """Where no clock counts from the machine's start, points go as they are, in order."""
        self.world.clock.boot = None  # type: ignore[assignment]
        self.world.open()
        self.log(1, off=-HOUR)
        self.log(1, off=0)
        self.log(1, off=-HOUR)
        self.assertEqual(self.sync(), [("1", 1 - HOUR), ("2", 2), ("3", 2)])
        self.assertEqual(self.column("corrected"), 0)

    def test_before_1970(self) -> None:
        """A clock before 1970 gives times above 0, which are corrected like others."""
        self.log(1, off=-NOW - YEAR)
        self.assertGreater(waiting(self.world.store, self.stream)[0].t, 0)
        self.log(1, off=0)
        self.assertEqual(self.sync(), [("1", 1), ("2", 2)])

    def test_no_time_of_the_servers(self) -> None:
        """Without a server's time the machine's clock says what is right, if it can be."""
        self.log(1, off=-NOW)
        with mock.patch.object(World, "date", lambda world: None):
            self.assertEqual(self.sync(), [("1", round(1 - NOW, 3))])
            self.log(1)
            self.log(1, off=0)
            self.assertEqual(self.sync(), [("2", 2), ("3", 3)])

    def test_idempotent(self) -> None:
        """Doing it again changes nothing, and writes nothing."""
        self.log(1, 1, off=-NOW)
        self.log(1, 1, off=0)
        versions = []
        for again in range(3):
            with self.subTest(again=again):
                judge = self.world.store.corrections(self.world.clock, self.world.date, False)
                judge.ready(self.stream, self.stream << 40, 2**62)
                rows = waiting(self.world.store, self.stream)
                self.assertEqual([round(row.t - NOW, 3) for row in rows], [1, 2, 3, 4])
                self.assertEqual(self.column("corrected"), 2)
                versions.append(self.column("version"))
        self.assertEqual(len(set(versions)), 1)

    def test_noted(self) -> None:
        """Rows that were in a note keep their times, whatever the clock turns out to have been."""
        self.log(1, 1, off=-HOUR)
        first = self.stream << 40
        note = Note(self.stream, first, first + 1, "http://x", "k", "u/d/s", 0, None)
        self.world.store.notes.begin(Coming(note, 10, 10**6))
        self.world.store.notes.resolve(self.stream)  # nothing of it was sent
        self.world.off(0)
        self.assertEqual(self.sync(), [("1", 1 - HOUR), ("2", 2)])

    def test_many_streams_and_rows(self) -> None:
        """Rows are put right piece by piece, each with a look at what stands behind."""
        with mock.patch.object(corrections, "TOGETHER", 4):
            self.log(*[1] * 9, off=-NOW)
            self.give(20, 21)
            self.log(*[1] * 9, off=0)
            rows = self.sync()
        self.assertEqual([value for value, _ in rows], [str(n) for n in range(1, 21)])
        self.assertEqual([t for _, t in rows], [*range(1, 10), *[20] * 1, 21, *[21] * 9])

    def test_what_stands_behind(self) -> None:
        """What is looked at together keeps to what stands behind it, too."""
        with mock.patch.object(corrections, "TOGETHER", 4):
            self.log(*[1] * 9, off=-NOW)
            self.give(2.5)
            rows = self.sync()
            times = [t for _, t in rows]
            self.assertEqual((times[0], times[1:]), (1.5, [2.5] * 9))
            self.assertEqual(rows[-1], ("10", 2.5))
            self.assertEqual(self.column("shifted"), 0)
            # and a stretch of an earlier boot that was ahead, though that time has come by now
            self.log(*[1] * 6, off=HOUR)
            self.world.reboot(off=0, seconds=HOUR + 60)
            self.log(1, 1)
            right = round(self.world.truth - NOW, 3)
            early = round(right - 1 - 0.001, 2)
            rows = self.sync()
        self.assertEqual([t for _, t in rows[-2:]], [right - 1, right])
        self.assertLess(max(t for _, t in rows[:-2]), early + 1)

    def test_newest_time(self) -> None:
        """What a wrong clock made of a stream's newest time is gone with the times, also where that was saved."""
        self.log(1, 1, off=10 * YEAR)
        self.log(1, off=0)
        self.world.store.notes.resolve(self.stream)
        self.assertGreater(self.column("last"), NOW + 9 * YEAR)
        self.sync()
        self.assertAlmostEqual(self.column("last"), NOW + 3, delta=1e-3)

    def test_set_just_now(self) -> None:
        """A point of an era that began while others were being put right is left for the next look."""
        self.log(1, off=-NOW)
        judge = self.world.store.corrections(self.world.clock, self.world.date, False)
        original = corrections.Corrections._put_right

        def set_meanwhile(*given: Any) -> Ready:
            self.log(1, off=10 * YEAR)
            return original(*given)

        upto = self.world.store.points.newest()[self.stream]
        with mock.patch.object(corrections.Corrections, "_put_right", set_meanwhile):
            ready = judge.ready(self.stream, self.stream << 40, upto)
        self.assertEqual((ready.upto, ready.waits, ready.aside), (upto, "", {}))
        self.assertEqual(self.world.store.aside.points(), [])
        for (_, t), right in zip(self.sync(), (1, 2), strict=True):
            self.assertAlmostEqual(t, right, delta=1)

    def test_pushed_along(self) -> None:
        """Rows that made room for others, restamped or moved, still know what their clock showed."""
        self.log(1, off=-HOUR)
        first = self.stream << 40
        notes = self.world.store.notes
        notes.begin(Coming(Note(self.stream, first, first + 1, "http://x", "k", "u/d/s", 0, None), 10, 10**6))
        self.log(1)
        notes.restamp(Note(self.stream, first + 1, first + 1, "http://x", "k", "u/d/s", 0, None), NOW - 60)
        notes.resolve(self.stream)
        self.world.off(0)
        (_, first_time), (_, second) = self.sync()
        self.assertAlmostEqual(first_time, -60, delta=0.01)
        self.assertAlmostEqual(second, 2, delta=0.01)

    def test_what_the_log_says(self) -> None:
        """A clock that was wrong is told once."""
        self.log(1, off=-HOUR)
        with self.assertLogs("connectordb.logger.rows.corrections", "WARNING") as logs:
            self.sync()
        self.assertRegex(logs.output[0], r"the clock of this machine was wrong: \+3[56]\d\d\.\d s")


class TooEarlyTests(WorldCase):
    """A point later than the server's time would have it refuse all others until then."""

    def test_users(self) -> None:
        """A time of the user's that has not come waits, and says so, and goes when it has."""
        self.give(1, BOUND + 60, BOUND + 61)
        self.assertEqual(self.sync(), [("1", 1)])
        self.assertIn("has not come", self.ready.waits)
        self.world.passes(70)
        self.assertEqual(self.sync(), [("2", BOUND + 60), ("3", BOUND + 61)])
        self.assertEqual(self.ready.waits, "")

    def test_in_the_way(self) -> None:
        """It is set aside when points behind it are due, which have their own times then."""
        self.give(HOUR)
        self.log(1, 1)
        self.assertEqual(self.sync(), [("2", 1), ("3", 2)])
        (rejected,) = self.world.store.aside.points()
        self.assertEqual((rejected.d, rejected.t), (1, NOW + HOUR))
        self.assertIn("has not come", rejected.reason)
        self.log(1)
        self.assertEqual(self.sync(), [("4", 3)])

    def test_many(self) -> None:
        """However many there are, they do not keep what stands behind them from being sent."""
        with mock.patch.object(corrections, "TOGETHER", 4):
            self.give(*(NOW + n for n in range(9)))
            self.log(1)
            self.assertEqual(self.sync(), [("10", 1)])
        self.assertEqual(len(self.world.store.aside.points()), 9)

    def test_milliseconds(self) -> None:
        """A time in milliseconds is set aside at once, and the stream goes on."""
        self.give(NOW * 999)
        self.assertEqual(self.sync(), [])
        self.log(1)
        self.assertEqual(self.sync(), [("2", 1)])
        self.assertEqual(len(self.world.store.aside.points()), 1)

    def test_earlier_boot(self) -> None:
        """A stretch in 2036 of an earlier boot blocks nothing; one that was hours ahead goes before what came later."""
        self.log(1, off=10 * YEAR)
        self.world.reboot(off=2 * HOUR)
        self.log(1, 1)
        self.world.reboot(off=0)
        self.assertEqual(self.sync(), [])
        self.assertIn("has not come", self.ready.waits)
        self.log(1)
        at = round(self.world.truth - NOW, 3)
        self.assertEqual(self.sync(), [("2", at - 1), ("3", at), ("4", at)])
        self.assertEqual([point.d for point in self.world.store.aside.points()], [1])


class ServerTests(PassCase):
    """Against a server, by its own time."""

    def setUp(self) -> None:
        super().setUp()
        self.machine = SteppedClock(time.time())
        self.eras = Eras(self.store.catalogue.era, self.machine)

    def insert(self, value: str, off: float) -> float:
        """Log a value while the machine's clock is off by so much; return the right time."""
        now = time.time()
        self.machine.advance(now - self.machine.wall() + self.off)
        self.machine.step(off - self.off)
        self.off = off
        self.store.points.append(self.id, now + off, value, self.eras.at(now + off))
        return now

    off = 0.0

    def pass_now(self) -> dict[str, str]:
        report = Pass(self.store, self.server, self.link, self.machine, threading.Event(), WAIT).run(
            self.store.points.newest()
        )
        self.assertEqual(report.failed, {})
        self.assert_adds_up()
        return report.early

    def test_no_clock(self) -> None:
        """A board whose clock stands in 1970 delivers points with the right times."""
        right = [self.insert(str(n), off=-1.7e9) for n in range(3)]
        self.pass_now()
        right += [self.insert("3", off=-1.7e9), self.insert("4", off=0.0), self.insert("5", off=5 * YEAR)]
        self.pass_now()
        self.assertEqual(self.stored(), [0, 1, 2, 3, 4, 5])
        for point, t in zip(self.server_stream[:], right, strict=True):
            self.assertAlmostEqual(point["t"], t, delta=3)

    def test_too_early(self) -> None:
        """A point of the user's that is too early waits, and says so; other streams do not."""
        other = self.add("other")
        self.new_stream("other")
        self.store.points.append_many({self.id: [(time.time() + HOUR, "1")], other: [(time.time(), "2")]}, time.time())
        self.assertIn("has not come", self.pass_now()["s"])
        self.assertEqual((self.stored(), self.stored("other"), len(self.waiting())), ([], [2], 1))
        status = self.store.status(time.time(), Activity(False, False, False, None))
        self.assertIn("has not come", status.streams["s"].error or "")
        self.assertIsNone(status.streams["other"].error)

    def test_set_aside(self) -> None:
        """Who listens is told of points that are set aside for their time."""
        told: list[int] = []
        self.store.aside.listener = told.extend
        self.store.points.append_many({self.id: [(time.time() * 1000, "1"), (time.time() * 1001, "2")]}, time.time())
        self.assertEqual(self.pass_now(), {})
        self.assertEqual([point.id for point in self.store.aside.points()], told)
        self.assertEqual(len(told), 2)

    def test_killed(self) -> None:
        """A process that is killed after it put times right, and before its note, leaves nothing to put right again."""
        right = [self.insert(str(n), off=-1.7e9) for n in range(3)]
        parent, child = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_put_right, args=(self.path, self.id, child))
        process.start()
        self.assertTrue(parent.poll(SOON))
        self.assertEqual(parent.recv(), "done")
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(SOON)
        self.assertEqual(process.exitcode, -signal.SIGKILL)
        process.close()
        before = [row.t for row in self.waiting()]
        for t, expected in zip(before, right, strict=True):
            self.assertAlmostEqual(t, expected, delta=60)  # that process had clocks of its own
        self.pass_now()
        self.assertEqual([point["t"] for point in self.server_stream[:]], before)

    def test_two_processes(self) -> None:
        """While one process logs with a wrong clock, another puts times right and sends: all arrive, in order."""
        parent, child = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_log, args=(self.path, self.id, child, 300))
        process.start()
        while not parent.poll():
            self.pass_now()
        process.join(SOON)
        process.close()
        self.pass_now()
        self.assertEqual(self.stored(), list(range(300)))
        times = [point["t"] for point in self.server_stream[:]]
        self.assertEqual(times, sorted(set(times)))
        self.assertLess(max(abs(t - time.time()) for t in times), 60)


class LoggerTests(OpenCase):
    """As a program sees it."""

    def test_a_boards_day(self) -> None:
        """Switched on in 1970, set by a time server, switched off, and only then within reach of its server."""
        self.new_stream("s")
        clock = SteppedClock(42.0)
        with mock.patch("connectordb.logger.logger.SYSTEM", clock):
            logger = self.open(url=NOWHERE)
            logger.addStream("s", {})
            logger.insert("s", 1)
            clock.advance(10)
            right = time.time()
            clock.step(right - clock.wall())
            logger.sync()  # which fails, but looks at the clock
            logger.close()
            clock.reboot(right + 60)
            logger = self.open()
        logger.insert("s", 2)
        self.assertAlmostEqual(logger.status().oldest or 0.0, 42.0, delta=1)
        logger.sync()
        times = [point["t"] for point in self.at("s")[:]]
        self.assertAlmostEqual(times[0], right - 10, delta=0.01)
        self.assertAlmostEqual(times[1], right + 60, delta=0.01)
        self.assertEqual(logger.status().corrected, 1)

    def test_before_1970(self) -> None:
        """A clock before 1970 gives times above 0 that increase."""
        with mock.patch("connectordb.logger.logger.SYSTEM", SteppedClock(-1e9)):
            logger = self.open(url=NOWHERE)
            logger.addStream_force("s")
            receipts = [logger.insert("s", n) for n in range(3)]
        times = [receipt.t for receipt in receipts]
        self.assertEqual(times, sorted(set(times)))
        self.assertGreater(times[0], 0)


def _machine() -> SteppedClock:
    """Return the clocks of a machine that shows 1970, as `ServerTests` has them."""
    clock = SteppedClock(time.time() - 1.7e9)
    return clock


def _put_right(path: str, stream: int, told: Connection) -> None:
    """Put times right, say so, and wait for the end."""
    store = Store(path)
    store.corrections(_machine(), time.time, False).ready(stream, stream << 40, 2**62)
    told.send("done")
    threading.Event().wait(SOON)


def _log(path: str, stream: int, told: Connection, count: int) -> None:
    """Log values with a clock that is set back and forth."""
    store, clock = Store(path), _machine()
    eras = Eras(store.catalogue.era, clock)
    for value in range(count):
        clock.step({100: 10 * YEAR, 200: -9 * YEAR}.get(value, 0.0))
        clock.advance(0.01)
        now = clock.wall()
        store.points.append(stream, now, str(value), eras.at(now))
    store.close()
    told.send("done")


@dataclass
class Logged:
    """A point: whose time it has, when it was logged, and what may be expected of its time."""

    users: float | None
    truth: float
    boot: str
    era: int


class ClockMachine(RuleBasedStateMachine):
    """Whatever happens to the clocks, points arrive in order, and right where that could be known."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="connectordb-test-")
        self.patch = mock.patch.object(corrections, "TOGETHER", 4)
        self.patch.start()
        self.world = World(self.folder)
        # in "pure" there are no times of the user's
        self.streams = {name: add(self.world.store, name) for name in ("pure", "mixed")}
        self.logged: dict[int, Logged] = {}
        self.sent: dict[str, list[Row]] = {"pure": [], "mixed": []}
        self.judged: set[int] = set()

    @rule(name=some.sampled_from(["pure", "mixed"]), process=some.integers(0, 1), count=some.integers(1, 3))
    def insert(self, name: str, process: int, count: int) -> None:
        for _ in range(count):
            value = len(self.logged)
            self.world.log(self.streams[name], value, process)
            era = self.world.eras[process].at(self.world.clock.wall())
            self.logged[value] = Logged(None, self.world.truth, self.world.clock.boot_id(), era)
            self.world.passes(0.5)

    @rule(offs=some.lists(some.sampled_from([-DAY, -60.0, -1.5, 0.0, 30.0, HOUR, 3 * DAY]), min_size=1, max_size=3))
    def insert_many(self, offs: list[float]) -> None:
        points = []
        for off in offs:
            value = len(self.logged)
            t = self.world.truth + off + value / 1024
            self.logged[value] = Logged(t, self.world.truth, self.world.clock.boot_id(), 0)
            points.append((t, str(value)))
        self.world.store.points.append_many({self.streams["mixed"]: points}, self.world.clock.wall())

    @rule(off=some.sampled_from([0.0, 0.0, 1.5, -NOW, -NOW - DAY, -HOUR, HOUR, 10 * YEAR]))
    def step(self, off: float) -> None:
        self.world.off(off)

    @rule(seconds=some.sampled_from([3.0, HOUR, 2 * DAY]))
    def passes(self, seconds: float) -> None:
        self.world.passes(seconds)

    @rule(off=some.sampled_from([0.0, -NOW, -HOUR, HOUR, 10 * YEAR]))
    def reboot(self, off: float) -> None:
        self.world.reboot(off)

    @rule()
    def open(self) -> None:
        self.world.open()

    @rule(name=some.sampled_from(["pure", "mixed"]), note=some.booleans())
    def killed(self, name: str, note: bool) -> None:
        """A pass that ends before it sent anything: after it put times right, or after its note."""
        store, stream = self.world.store, self.streams[name]
        first = store.held.first_waiting(stream)
        judge = store.corrections(self.world.clock, self.world.date, False)
        ready = judge.ready(stream, first, store.points.newest().get(stream, 0))
        self.judge()
        if note:
            store.notes.begin(coming(stream, first, ready, 3))
            store.notes.resolve(stream)
        self.world.open()

    @rule(name=some.sampled_from(["pure", "mixed"]), batch=some.integers(2, 5))
    def sync(self, name: str, batch: int) -> None:
        rows, _ = self.world.sync(self.streams[name], batch)
        self.judge()
        for row in rows:
            self.check_time(name, row)
        self.sent[name] += rows

    def judge(self) -> None:
        """Remember which eras a pass has judged: all of this boot."""
        with self.world.store._file.reading() as connection:
            self.judged |= {
                id for (id,) in connection.execute("SELECT id FROM era WHERE boot = ?", (self.world.clock.boot_id(),))
            }

    def check_time(self, name: str, row: Row) -> None:
        point = self.logged[int(row.d)]
        assert row.t <= self.world.truth + BOUND + 1
        if point.users is not None:
            assert row.t == point.users
        elif name == "pure" and point.boot == self.world.clock.boot_id() and point.era in self.judged:
            # two seconds are no step, the server says whole seconds, and what was sent before may have been off by as much
            assert abs(row.t - point.truth) < 2 * STEP + 1, (row, point)

    @invariant()
    def in_order(self) -> None:
        for name, rows in self.sent.items():
            times = [row.t for row in rows]
            assert all(a < b for a, b in zip(times, times[1:], strict=False))
            stamped = [int(row.d) for row in rows if self.logged[int(row.d)].users is None]
            assert stamped == sorted(set(stamped)), name

    @invariant()
    def adds_up(self) -> None:
        aside = [int(point.d) for point in self.world.store.aside.points()]
        left = [int(row.d) for id in self.streams.values() for row in waiting(self.world.store, id)]
        there = [int(row.d) for rows in self.sent.values() for row in rows]
        assert sorted(aside + left + there) == list(range(len(self.logged)))
        for ledger in self.world.store.points.ledgers():
            assert ledger.accepted == ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped
            assert ledger.confirmed == len(self.sent[ledger.name])
        for value in aside:  # what was judged in time is never set aside
            point = self.logged[value]
            assert point.users is not None or point.boot != self.world.clock.boot_id() or point.era not in self.judged

    def teardown(self) -> None:
        self.patch.stop()
        self.world.close()
        shutil.rmtree(self.folder)


ClockMachineTests = ClockMachine.TestCase
ClockMachineTests.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
