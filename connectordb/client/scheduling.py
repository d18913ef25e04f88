"""
Scheduled functions: an agenda, and the threads that work it off.

One thread at a time, the watcher, waits for the next job to be due. It takes the job off the agenda, has another thread become
the watcher, and runs the job. So a slow function delays no other, a program with one function has one thread, and with an empty
agenda there is none. (With one thread for everything, functions would wait for one another; with one for each, a program that
puts off a thousand things would have a thousand stacks.)

Calls are due at multiples of the period since the first, by the monotonic clock, so delays do not add up. Calls that become due
while the function still runs are left out: there is never more than one call of it, and none is queued.
"""

from __future__ import annotations

import heapq
import logging
import math
import os
import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, TypeVar

from ..exceptions import ClosedError
from ..runtime.clock import AT_A_TIME, SYSTEM, Clock, Deadline

log = logging.getLogger(__name__)

R = TypeVar("R")

#: Called with what a function raised.
OnError = Callable[[BaseException], object]

#: How many functions may run at the same time.
MOST_THREADS = 16

#: Seconds that an idle thread waits for something to do before it ends.
_LINGER = 5.0

_NAME = "connectordb-schedule"


class Job(Generic[R]):
    """
    A scheduled function. ``@cdb.every(10)`` turns the decorated function into one; calling it calls the function.

    Attributes:
        runs: How often the schedule has called it.
        skipped: How many calls were left out because the function still ran.
        failures: How often it raised.
    """

    def __init__(
        self,
        schedule: Schedule,
        function: Callable[[], R],
        begin: float,
        period: float | None,
        on_error: OnError | None,
    ) -> None:
        update_wrapper(self, function)  # first, as it copies the function's attributes over those of the job
        self._schedule = schedule
        self._function = function
        self._begin = begin
        self._period = period
        self._on_error = on_error
        #: The number of the next call.
        self._number = 0
        self._is_over = False
        #: Whether the last call made others be left out, which is logged only once in a row.
        self._is_late = False
        self.runs = self.skipped = self.failures = 0

    def __call__(self) -> R:
        """Call the function, here and now."""
        return self._function()

    @property
    def is_over(self) -> bool:
        """Whether it will not be called any more: it was cancelled, the connection was closed, or its only call is over."""
        return self._is_over

    def cancel(self, timeout: float = 0.0) -> bool:
        """
        Stop calling it. This may be done more than once, and by the function itself.

        Args:
            timeout: Seconds to wait for a call that still runs.

        Returns:
            Whether no call runs any more, apart from the one that called this.
        """
        return self._schedule.cancel(self, timeout)

    def __repr__(self) -> str:
        """Return the function's name and how often it is called."""
        when = "once" if self._period is None else f"every {self._period:g} s"
        return f"<Job {self.name} {when}{', over' if self._is_over else ''}>"

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self._function, "__qualname__", self._function))

    # --- for the schedule ---------------------------------------------------------------------------------------------

    def due(self) -> float:
        """Return when the next call is due, by the monotonic clock."""
        return self._begin + self._number * (self._period or 0.0)

    def run(self, clock: Clock) -> None:
        """Call the function, without letting any exception escape, and plan the next call."""
        began = clock.monotonic()
        self.runs += 1
        try:
            self._function()
        except BaseException as error:  # also exit(), which would only end the thread
            self.failures += 1
            log.exception("%s, which is called %s, raised", self.name, self._when())
            self._tell(error)
        finally:
            now = clock.monotonic()
            self._plan(now, now - began)

    def _tell(self, error: BaseException) -> None:
        if self._on_error is None:
            return
        try:
            self._on_error(error)
        except BaseException:
            log.exception("the on_error of %s raised", self.name)

    def _plan(self, now: float, took: float) -> None:
        """Advance to the next call that is not due yet, and log if calls in between are left out."""
        if self._period is None:
            self._is_over = True
            return
        passed = math.ceil((now - self._begin) / self._period)
        self._number += 1
        skipped = max(0, passed - self._number)
        self._number += skipped
        self.skipped += skipped
        if skipped and not self._is_late:
            if took >= self._period:
                log.warning(
                    "%s, which is called %s, took %.3g s: %d calls are left out", self.name, self._when(), took, skipped
                )
            else:
                log.info(
                    "%s, which is called %s, was called late: %d calls are left out", self.name, self._when(), skipped
                )
        self._is_late = skipped > 0

    def _when(self) -> str:
        return "once" if self._period is None else f"every {self._period:g} s"


class Schedule:
    """
    Calls functions when they are due, on threads of its own.

    Args:
        clock: The clocks; tests replace them.
        most: The largest number of threads.
    """

    def __init__(self, clock: Clock = SYSTEM, most: int = MOST_THREADS) -> None:
        self._clock = clock
        self._most = most
        self._is_closed = False
        self._begin_in_process()

    def _begin_in_process(self) -> None:
        """Begin with an empty agenda: at the start, and in a forked child, as the jobs remain the parent's."""
        self._process = os.getpid()
        # guards everything below, and the plans of the jobs
        self._lock = threading.Lock()
        #: A heap of (due time, running number, job); the number decides between equal times, as jobs have no order.
        self._agenda: list[tuple[float, int, Job[Any]]] = []
        self._order = 0
        self._running: dict[Job[Any], threading.Thread] = {}
        self._has_run = threading.Condition(self._lock)
        self._threads: set[threading.Thread] = set()
        #: Whether some thread is the watcher; the event makes it look at the agenda again.
        self._is_watched = False
        self._look_again = threading.Event()
        #: How many idle threads wait to become the watcher, and how they are woken.
        self._idle = 0
        self._call = threading.Condition(self._lock)
        #: Whether a thread was woken or started to become the watcher, and has not come yet.
        self._is_called = False

    def every(
        self, period: float, function: Callable[[], R], first: float = 0.0, on_error: OnError | None = None
    ) -> Job[R]:
        """
        Call *function* after *first* seconds, and every *period* seconds from then on.

        Raises:
            ClosedError: The schedule was closed.
        """
        return self._add(Job(self, function, self._clock.monotonic() + first, period, on_error))

    def after(self, seconds: float, function: Callable[[], R], on_error: OnError | None = None) -> Job[R]:
        """
        Call *function* once, after so many seconds.

        Raises:
            ClosedError: The schedule was closed.
        """
        return self._add(Job(self, function, self._clock.monotonic() + seconds, None, on_error))

    def cancel(self, job: Job[Any], timeout: float = 0.0) -> bool:
        """Stop calling *job*; return whether, within *timeout* seconds, no other thread runs it any more."""
        self._check_process()
        deadline = Deadline(timeout, self._clock)
        with self._lock:
            job._is_over = True
            self._agenda = [entry for entry in self._agenda if entry[2] is not job]
            heapq.heapify(self._agenda)
            self._look_again.set()
            while self._running.get(job, threading.current_thread()) is not threading.current_thread():
                if deadline.passed():
                    return False
                self._has_run.wait(min(deadline.left() or 0.0, AT_A_TIME))
        return True

    def close(self, deadline: Deadline) -> bool:
        """
        Begin no more calls, wait until *deadline* for those that run, and return whether they have ended.

        If a scheduled function calls this itself, it is not waited for.
        """
        self._check_process()
        with self._lock:
            self._is_closed = True
            for *_, job in self._agenda:
                job._is_over = True
            for job in self._running:
                job._is_over = True
            self._agenda.clear()
            self._look_again.set()
            self._call.notify_all()
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            while thread.is_alive() and not deadline.passed():
                thread.join(min(deadline.left() or 0.0, AT_A_TIME))
        with self._lock:
            late = [job.name for job, thread in self._running.items() if thread in threads]
        if late:
            log.warning("closing: what is called at times still runs, and is left alone: %s", ", ".join(late))
        return not late

    # --- the threads --------------------------------------------------------------------------------------------------

    def _add(self, job: Job[R]) -> Job[R]:
        self._check_process()
        with self._lock:
            if self._is_closed:
                raise ClosedError(f"{job.name} cannot be called at times: the connection was closed")
            self._put(job)
            try:
                self._have_it_watched()
            except RuntimeError:  # the system gives us no thread; if we have others, one of them will get to the job
                if not self._threads:
                    self._agenda = [entry for entry in self._agenda if entry[2] is not job]
                    raise
        return job

    def _put(self, job: Job[Any]) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (job.due(), self._order, job))
        if self._agenda[0][2] is job:
            self._look_again.set()

    def _have_it_watched(self) -> None:
        """Make sure that there is a watcher if there is anything to wait for: wake an idle thread, or start one."""
        if self._is_watched or self._is_called or not self._agenda or self._is_closed:
            return
        if self._idle:
            self._call.notify()
            self._is_called = True
        elif len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, args=(os.getpid(),), name=_NAME, daemon=True)
            thread.start()
            self._threads.add(thread)
            self._is_called = True

    def _work(self, process: int) -> None:
        with self._lock:
            self._threads.add(threading.current_thread())
        while (job := self._take()) is not None:
            job.run(self._clock)
            if (
                os.getpid() != process
            ):  # the function has forked and returned in the child, which has no schedule to work off
                return
            with self._lock:
                del self._running[job]
                if not job._is_over:
                    self._put(job)
                self._has_run.notify_all()

    def _take(self) -> Job[Any] | None:
        """Be the watcher until a job is due, and take it off the agenda; ``None`` if this thread is not needed any more."""
        me = threading.current_thread()
        while True:
            with self._lock:
                self._is_called = False
                if self._is_closed or not self._agenda or (self._is_watched and not self._comes_to_watch()):
                    self._threads.discard(me)
                    return None
                due, _, job = self._agenda[0]
                now = self._clock.monotonic()
                if due <= now:
                    heapq.heappop(self._agenda)
                    self._running[job] = me
                    self._leave_the_watch()
                    return job
                self._is_watched = True
                self._look_again.clear()
            try:
                self._clock.wait(self._look_again, due - now)
            finally:
                with self._lock:
                    self._is_watched = False

    def _comes_to_watch(self) -> bool:
        """Stay idle for a while, as another thread is the watcher; return whether this one should be the watcher now."""
        self._idle += 1
        try:
            self._call.wait(_LINGER)
        finally:
            self._idle -= 1
            self._is_called = False
        return not self._is_watched and not self._is_closed and bool(self._agenda)

    def _leave_the_watch(self) -> None:
        """Have another thread become the watcher, as this one is about to run a job."""
        try:
            self._have_it_watched()
        except RuntimeError as error:
            log.warning("no further thread (%s): what is due waits until %s is done", error, self._running)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            self._begin_in_process()
