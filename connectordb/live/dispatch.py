"""
The threads that run user code, and the bounded queues before them.

Every subscription has a `Lane`, a queue of its own whose jobs run one at a time and in order. The lanes share a `Pool` of
threads that grows to as many threads as lanes have something to do at the same moment, up to a bound, and shrinks when they
are idle: a slow callback keeps one thread busy, not its neighbours, and a thousand quiet subscriptions cost nothing. (One
thread per subscription would cost a thousand stacks; a fixed few would stand still as soon as so many callbacks are slow.)

A pool may also have no threads at all: then its jobs are run by whoever calls `Pool.run_one`, one each time, as a program wants
that has a main loop of its own.

A lane holds a bounded amount. Beyond it the oldest jobs give way: what is live is worth more the newer it is, the caller is
told how much went, and nobody ever stops reading the socket, as a server drops a client that does not read.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable

from ..runtime.clock import Deadline

log = logging.getLogger(__name__)

#: What runs on a lane.
Job = Callable[[], None]

#: Threads that a pool has at most, unless it is told otherwise: so many callbacks may be slow at the same time.
MOST_THREADS = 16

#: Seconds that a thread waits for something to do before it ends.
_LINGER = 5.0

#: Seconds that `Pool.run_one` waits at a time. Windows does not interrupt a wait for a lock by Ctrl-C; elsewhere an hour is as
#: good as for ever.
_AT_A_TIME = 0.1 if sys.platform == "win32" else 3600.0


class Pool:
    """
    Threads ``connectordb-<name>-1`` and so on, which run the jobs of many lanes.

    Args:
        name: What the threads are called.
        most: How many they are at the most; 0 for none: who calls `run_one` does their work.
    """

    def __init__(self, name: str, most: int = MOST_THREADS) -> None:
        self._name = name
        self._most = most
        # guards everything below, and the fields of all lanes
        self._lock = threading.Lock()
        self._something_to_do = threading.Condition(self._lock)
        self._something_done = threading.Condition(self._lock)
        self._ready: deque[Lane] = deque()
        self._threads: dict[int, threading.Thread] = {}
        self._idle = 0
        self._closed = False
        #: Which lane a thread of ours waits for, to see circles.
        self._waits: dict[threading.Thread, Lane] = {}

    def lane(self, most: float = float("inf")) -> Lane:
        """Return a new lane that holds *most* at the most."""
        return Lane(self, most)

    def close(self, deadline: Deadline) -> bool:
        """
        End the threads, once what runs now is done; tell whether they have ended.

        Called on one of them: they end by themselves, nobody waits.
        """
        with self._lock:
            self._closed = True
            self._ready.clear()
            self._something_to_do.notify_all()
            threads = list(self._threads.values())
        if threading.current_thread() in threads:
            return True
        for thread in threads:
            thread.join(deadline.left())
        return not any(thread.is_alive() for thread in threads)

    def run_one(self, deadline: Deadline) -> bool:
        """
        Run one job on the calling thread, once there is one; of a pool without threads, from any thread.

        What the job raises is logged, but for what is no `Exception`, as sys.exit() and Ctrl-C: that goes up to the caller.

        Returns:
            Whether there was one before the deadline, and before the pool was closed.
        """
        lane: Lane | None = None
        try:
            with self._lock:
                while not self._ready:
                    left = deadline.left()
                    if self._closed or left == 0.0:
                        return False
                    self._something_to_do.wait(_AT_A_TIME if left is None else min(left, _AT_A_TIME))
                lane = self._ready.popleft()
                job = lane._begin()
            job()
        except Exception:
            log.exception("a job of connectordb-%s failed; this is a bug", self._name)
        finally:
            if lane is not None:
                with self._lock:
                    lane._end()
                    if self._ready:  # this thread may not come back, another perhaps waits
                        self._something_to_do.notify()
        return True

    def _schedule(self, lane: Lane) -> None:
        """Let a thread run the next job of *lane*; called under the lock."""
        if self._closed:
            return
        self._ready.append(lane)
        if self._idle >= len(self._ready) or len(self._threads) >= self._most:
            self._something_to_do.notify()
            return
        number = next(number for number in range(1, self._most + 1) if number not in self._threads)
        thread = threading.Thread(
            target=self._work, args=(number,), name=f"connectordb-{self._name}-{number}", daemon=True
        )
        thread.start()  # first: where no more threads can be had, there is none to be waited for at the end
        self._threads[number] = thread

    def _work(self, number: int) -> None:
        lane: Lane | None = None
        try:
            while True:
                with self._lock:
                    if lane is not None:
                        lane._end()
                    lane = self._next_lane()
                    if lane is None:
                        del self._threads[number]
                        return
                    job = lane._begin()
                try:
                    job()
                except Exception:
                    log.exception("a job on connectordb-%s-%d failed; this is a bug", self._name, number)
        except BaseException as error:  # a callback called sys.exit(): that ends this thread, and no other
            log.error("connectordb-%s-%d was ended by a callback: %r; others go on", self._name, number, error)
            with self._lock:
                if lane is not None:
                    lane._end()
                self._threads.pop(number, None)
                if self._ready:
                    self._schedule(self._ready.popleft())
            raise

    def _next_lane(self) -> Lane | None:
        """Wait for a lane with something to do; ``None`` if the thread is to end. Called under the lock."""
        while not self._ready and not self._closed:
            self._idle += 1
            woken = self._something_to_do.wait(_LINGER)
            self._idle -= 1
            if not woken and not self._ready:
                return None
        return self._ready.popleft() if self._ready else None

    def _wait_for(self, lane: Lane, deadline: Deadline) -> bool:
        """Wait until no job of *lane* runs; called under the lock."""
        me = threading.current_thread()
        while lane._thread is not None and not self._is_circle(lane, me):
            if deadline.passed():
                return False
            self._waits[me] = lane
            try:
                self._something_done.wait(deadline.left())
            finally:
                del self._waits[me]
        return True

    def _is_circle(self, lane: Lane, me: threading.Thread) -> bool:
        """Tell whether *lane* runs on this thread, or waits for one that does: two callbacks that end each other."""
        seen: set[Lane] = set()
        at: Lane | None = lane
        while at is not None and at not in seen:
            if at._thread is me:
                return True
            seen.add(at)
            at = None if at._thread is None else self._waits.get(at._thread)
        return False


class Lane:
    """Jobs that run one at a time, in order, on the threads of a pool. Its fields are under the pool's lock."""

    def __init__(self, pool: Pool, most: float) -> None:
        self._pool = pool
        self._most = most
        self._jobs: deque[tuple[Job, int]] = deque()
        self._held = 0
        self._thread: threading.Thread | None = None
        self._scheduled = False
        self._closed = False

    def put(self, job: Job, weight: int = 0) -> int:
        """
        Run *job* after those that wait already; on a closed lane, never.

        Args:
            job: What to run. Its exceptions are its own business.
            weight: How much of the lane it takes, 0 for what must not be dropped.

        Returns:
            The weight of the oldest jobs that had to give way.
        """
        with self._pool._lock:
            if self._closed:
                return 0
            dropped = 0
            while weight and self._held and self._held + weight > self._most:
                dropped += self._drop_oldest()
            self._jobs.append((job, weight))
            self._held += weight
            if not self._scheduled:
                self._scheduled = True
                self._pool._schedule(self)
            return dropped

    def close(self, deadline: Deadline) -> bool:
        """
        Forget what waits, and wait for what runs; tell whether nothing runs any more.

        Called by the job itself, or by one that it waits for: no wait.
        """
        with self._pool._lock:
            self._closed = True
            self._jobs.clear()
            self._held = 0
            return self._pool._wait_for(self, deadline)

    def _drop_oldest(self) -> int:
        number = next(number for number, (_, weight) in enumerate(self._jobs) if weight)
        weight = self._jobs[number][1]
        del self._jobs[number]
        self._held -= weight
        return weight

    def _begin(self) -> Job:
        self._thread = threading.current_thread()
        if not self._jobs:  # closed since it was scheduled
            return _nothing
        job, weight = self._jobs.popleft()
        self._held -= weight
        return job

    def _end(self) -> None:
        self._thread = None
        self._pool._something_done.notify_all()
        self._scheduled = bool(self._jobs)
        if self._scheduled and not self._pool._closed:
            self._pool._ready.append(self)  # this very thread is free now, no other is needed


def _nothing() -> None:
    """Do nothing."""
