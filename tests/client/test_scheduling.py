"""Tests of `connectordb.client.scheduling`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.client.scheduling import Job, Schedule
from connectordb.exceptions import ClosedError
from connectordb.runtime.clock import SYSTEM, Clock, Deadline
from tests.support.case import MS, SOON, Case
from tests.support.clock import SteppedClock


class ScheduleCase(Case):
    """A schedule that ends with the test."""

    def schedule(self, clock: Clock = SYSTEM, **options: Any) -> Schedule:
        """Return one."""
        schedule = Schedule(clock, **options)
        self.addCleanup(lambda: schedule.close(Deadline(SOON)))
        return schedule

    def over(self, job: Job[Any]) -> None:
        """Wait until a job is called no more."""
        self.eventually(lambda: job.is_over and job.cancel())


class Times(ScheduleCase):
    """When a function is called; on a clock that passes at once what is waited for."""

    def called(self, period: float, takes: list[float], first: float = 0.0) -> tuple[list[float], Job[Any]]:
        """Return when a function was called, whose calls take so long."""
        clock = SteppedClock()
        schedule, times = self.schedule(clock), list[float]()

        def work() -> None:
            times.append(clock.monotonic())
            clock.advance(takes[len(times) - 1])
            if len(times) == len(takes):
                job.cancel()

        ready = threading.Event()
        job = schedule.every(period, lambda: ready.wait(SOON) and work(), first)
        ready.set()
        self.over(job)
        return times, job

    def test_no_drift(self) -> None:
        """After a thousand periods it is called when it should be, though each call takes a part of its period."""
        times, job = self.called(0.1, [0.03, 0.07, 0.0, 0.099] * 250 + [0.0], first=5.0)
        self.assertEqual((len(times), job.runs, job.skipped, job.failures), (1001, 1001, 0, 0))
        for number, when in enumerate(times):
            self.assertAlmostEqual(when, 5.0 + number * 0.1, delta=1e-9)

    def test_too_slow(self) -> None:
        """Calls that are due while it still runs are left out, and told once."""
        with self.assertLogs("connectordb.client.scheduling", "WARNING") as logs:
            times, job = self.called(1.0, [0.5, 2.5, 1.2, 0.1, 1.0, 0.0])
        self.assertEqual(times, [0.0, 1.0, 4.0, 6.0, 7.0, 8.0])
        self.assertEqual((job.runs, job.skipped), (6, 3))
        self.assertEqual(len(logs.output), 1)
        self.assertRegex(logs.output[0], "every 1 s, took 2.5 s: 2 calls are left out")

    def test_late(self) -> None:
        """So it is where it was called late itself: by a machine that stood still, or with no thread left."""
        clock, times = SteppedClock(), list[float]()
        schedule, ready = self.schedule(clock, most=1), threading.Event()
        schedule.after(0.0, lambda: (ready.wait(SOON), clock.advance(4.5)))
        job = schedule.every(1.0, lambda: (times.append(clock.monotonic()), len(times) == 3 and job.cancel()), 1.0)
        with self.assertLogs("connectordb.client.scheduling", "INFO") as logs:
            ready.set()
            self.over(job)
        self.assertEqual((times, job.skipped), ([4.5, 5.0, 6.0], 3))
        self.assertEqual([line.partition(":")[0] for line in logs.output], ["INFO"])

    @given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(1, 20))
    def test_any(self, takes: list[int], period: int) -> None:
        """However long the calls take, they begin at multiples of the period, as soon as that can be, and none is forgotten."""
        import logging

        logging.disable(logging.WARNING)
        try:
            times, job = self.called(float(period), [float(seconds) for seconds in takes])
        finally:
            logging.disable(logging.NOTSET)
        expected = [0.0]
        for seconds in takes[:-1]:
            ended = expected[-1] + seconds
            expected.append(max(expected[-1] + period, -(-ended // period) * period))
        self.assertEqual(times, expected)
        self.assertEqual(job.skipped, -(-max(expected[-1] + takes[-1], expected[-1] + period) // period) - len(takes))

    def test_once(self) -> None:
        """What is put off is called once, in the order of the times."""
        clock, told = SteppedClock(), list[tuple[str, float]]()
        schedule = self.schedule(clock, most=1)
        hold = threading.Event()
        first = schedule.after(0, lambda: hold.wait(SOON))
        jobs = [
            schedule.after(seconds, lambda seconds=seconds: told.append((str(seconds), clock.monotonic())))
            for seconds in (30, 10, 20)
        ]
        self.assertEqual(repr(jobs[0]).partition(".<lambda>")[2], " once>")
        hold.set()
        for job in (first, *jobs):
            self.over(job)
        self.assertEqual(told, [("10", 10.0), ("20", 20.0), ("30", 30.0)])
        self.assertEqual([job.runs for job in jobs], [1, 1, 1])

    def test_real_time(self) -> None:
        """By the real clock, too, the hundredth call comes ninety-nine periods after the first."""
        schedule, times = self.schedule(), list[float]()

        def work() -> None:
            times.append(time.monotonic())
            if len(times) == 100:
                job.cancel()

        job = schedule.every(5 * MS, work)
        self.over(job)
        if not job.skipped:  # the machine may be busy
            late = [at - number * 5 * MS for number, at in enumerate(times)]
            self.assertAlmostEqual(min(late[-10:]), min(late[:10]), delta=20 * MS)


class Errors(ScheduleCase):
    """What a function raises."""

    def fails(self, error: BaseException, on_error: Callable[[BaseException], object] | None = None) -> list[str]:
        """Have a function raise that, see that it is called again, and return what was logged."""
        schedule, clock = Schedule(SteppedClock()), threading.Event()
        self.addCleanup(lambda: schedule.close(Deadline(SOON)))

        def work() -> None:
            if job.runs == 3:
                job.cancel()
                clock.set()
            raise error

        ready = threading.Event()
        with self.assertLogs("connectordb.client.scheduling", "ERROR") as logs:
            job = schedule.every(1.0, lambda: ready.wait(SOON) and work(), on_error=on_error)
            ready.set()
            self.wait(clock)
            self.over(job)
        self.assertEqual(job.failures, 3)
        return logs.output

    def test_handler(self) -> None:
        """It goes to the handler, and with its traceback to the log, and the function is called again."""
        told, error = list[BaseException](), ValueError("no such sensor")
        logged = self.fails(error, told.append)
        self.assertEqual((told, len(logged)), ([error] * 3, 3))
        self.assertIn("is called every 1 s, raised", logged[0])
        self.assertIn("Traceback", logged[0])
        self.assertIn("no such sensor", logged[0])

    def test_handler_that_raises(self) -> None:
        """A handler that raises changes nothing."""
        logged = self.fails(ValueError("no such sensor"), lambda error: 1 // 0)
        self.assertEqual(len([line for line in logged if "the on_error of" in line]), 3)

    def test_exit(self) -> None:
        """So is what is no Exception, such as that of exit(): it would end a thread, and no program."""
        self.assertEqual(len(self.fails(SystemExit(1))), 3)


class Ends(ScheduleCase):
    """Cancelling, closing, and what becomes of the threads."""

    def blocked(self, schedule: Schedule, **options: Any) -> tuple[Job[Any], threading.Event]:
        """Return a job that runs, and what ends that."""
        runs, go_on = threading.Event(), threading.Event()
        job = schedule.every(1000.0, lambda: (runs.set(), go_on.wait(SOON)), **options)
        self.addCleanup(go_on.set)
        self.wait(runs)
        return job, go_on

    def test_cancel(self) -> None:
        """Cancelled before its time it is never called; twice is fine."""
        schedule = self.schedule()
        job = schedule.after(1000.0, lambda: None)
        self.assertFalse(job.is_over)
        self.assertTrue(job.cancel())
        self.assertTrue(job.cancel())
        self.assertTrue(job.is_over)
        self.assertTrue(repr(job).endswith(" once, over>"))
        self.eventually(lambda: not _threads(), "the thread has nothing to wait for any more")
        self.assertEqual(job.runs, 0)

    def test_cancel_what_runs(self) -> None:
        """A call that is under way is waited for as long as is said."""
        job, go_on = self.blocked(self.schedule())
        self.assertFalse(job.cancel())
        self.assertFalse(job.cancel(5 * MS))
        go_on.set()
        self.assertTrue(job.cancel(SOON))
        self.assertEqual(job.runs, 1)

    def test_cancel_by_itself(self) -> None:
        """A function that cancels itself does not wait for itself."""
        schedule, answers = self.schedule(), list[bool]()
        told = threading.Event()

        def work() -> None:
            told.wait(SOON)
            answers.append(job.cancel(SOON))

        job = schedule.every(1.0, work)
        told.set()
        self.over(job)
        self.assertEqual((answers, job.runs), ([True], 1))

    def test_call_by_hand(self) -> None:
        """A job is still the function that it was made of."""

        def work() -> int:
            """Work."""
            return 5

        job = self.schedule().after(1000.0, work)
        self.assertEqual((job(), job.__name__, job.__doc__, job.runs), (5, "work", "Work.", 0))  # type: ignore[attr-defined]

    def test_slow_ones(self) -> None:
        """A slow function delays no other."""
        schedule, quick = self.schedule(), threading.Event()
        _, go_on = self.blocked(schedule)
        _, go_on_too = self.blocked(schedule)
        schedule.after(0.0, quick.set)
        self.wait(quick)
        self.assertLessEqual(len(_threads()), 3)
        go_on.set()
        go_on_too.set()

    def test_one_thread(self) -> None:
        """One function has one thread; when there is no thread left, functions wait for one another, and none is lost."""
        schedule = self.schedule(most=2)
        _, go_on = self.blocked(schedule)
        self.assertEqual(len(_threads()), 1)
        _, go_on_too = self.blocked(schedule)
        done = [threading.Event() for _ in range(10)]
        for event in done:
            schedule.after(0.0, event.set)
        self.assertEqual(len(_threads()), 2)
        self.assertFalse(any(event.wait(MS) for event in done))
        go_on.set()
        for event in done:
            self.wait(event)
        go_on_too.set()

    def test_sooner(self) -> None:
        """Something that is put on later and is due sooner is not held up by what is waited for."""
        schedule, quick = self.schedule(), threading.Event()
        schedule.every(1000.0, lambda: None, first=1000.0)
        schedule.after(0.0, quick.set)
        self.wait(quick)

    def test_close(self) -> None:
        """Closing waits for what runs; nothing is begun any more; twice is fine."""
        schedule = self.schedule()
        job, go_on = self.blocked(schedule)
        waiting = schedule.after(1000.0, lambda: None)
        releasing = threading.Timer(20 * MS, go_on.set)
        releasing.start()
        self.assertTrue(schedule.close(Deadline(SOON)))
        self.assertTrue(schedule.close(Deadline(SOON)))
        releasing.join()
        self.assertEqual((job.is_over, waiting.is_over, job.runs, _threads()), (True, True, 1, []))
        with self.assertRaisesRegex(ClosedError, "cannot be called at times"):
            schedule.every(1.0, lambda: None)
        with self.assertRaises(ClosedError):
            schedule.after(1.0, lambda: None)

    def test_close_in_time(self) -> None:
        """What does not end is told, and left alone."""
        schedule = self.schedule()
        _, go_on = self.blocked(schedule)
        with self.assertLogs("connectordb.client.scheduling", "WARNING") as logs:
            self.assertFalse(schedule.close(Deadline(5 * MS)))
        self.assertIn("still runs", logs.output[0])
        go_on.set()
        self.eventually(lambda: not _threads())

    def test_close_by_a_function(self) -> None:
        """A function may close what calls it."""
        schedule, closed = self.schedule(), list[bool]()
        other = schedule.after(1000.0, lambda: None)
        job = schedule.every(MS, lambda: closed.append(schedule.close(Deadline(SOON))))
        self.over(job)
        self.assertEqual((closed, other.is_over), ([True], True))

    def test_many(self) -> None:
        """Many threads may put things on and off."""
        schedule, counted = self.schedule(), list[int]()

        def work() -> None:
            for _ in range(100):
                schedule.after(0.0, lambda: counted.append(1))
                self.assertTrue(schedule.after(1000.0, lambda: None).cancel())

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        self.eventually(lambda: len(counted) == 400)
        self.assertLessEqual(len(_threads()), 16)

    def test_fork(self) -> None:
        """A child has nothing on its agenda, and may have something of its own; its parent goes on."""
        schedule, ran = self.schedule(), threading.Event()
        hold = threading.Event()
        job = schedule.every(MS, lambda: hold.is_set() and ran.set())
        child = os.fork()
        if child == 0:
            status = 1
            try:
                own = threading.Event()
                inherited = job.runs
                schedule.after(0.0, own.set)
                fine = own.wait(SOON) and job.runs == inherited and job.cancel(SOON) and schedule.close(Deadline(SOON))
                status = 0 if fine else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        hold.set()
        self.wait(ran)

    def test_fork_by_a_function(self) -> None:
        """A function that forks and returns in the child, too, is not called there any more."""
        reading, writing = os.pipe()
        program = (
            "import os, threading, sys\n"
            "from connectordb.client.scheduling import Schedule\n"
            "schedule, done = Schedule(), threading.Event()\n"
            "def work():\n"
            f"    os.write({writing}, b'.')\n"
            "    if job.runs == 1 and os.fork() == 0: return\n"
            "    if job.runs == 5: job.cancel(); done.set()\n"
            "begin = threading.Event()\n"
            "job = schedule.every(0.01, lambda: begin.wait(9) and work())\n"
            "begin.set()\n"
            "done.wait(9)\n"
            "job.cancel(9)\n"
        )
        import subprocess

        done = subprocess.run([sys.executable, "-c", program], pass_fds=[writing], timeout=60, check=False)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            self.assertEqual((done.returncode, pipe.read()), (0, b"....."))


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "connectordb-schedule"]
