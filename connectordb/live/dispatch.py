"""
The threads that run user code, and the bounded queues in front of them.

Every subscription has a `Lane`: a queue whose jobs run one at a time and in order. All lanes share a `Pool` of threads. The pool
grows to as many threads as there are lanes with something to do at the same moment, up to a bound, and shrinks to one when they are
idle. So a slow callback keeps one thread busy and does not hold up its neighbours, and a thousand quiet subscriptions cost next to
nothing. (One thread per subscription would cost a thousand stacks; with a few fixed threads, everything would stop once so many
callbacks are slow.) The last thread stays: otherwise, a job would be left lying if the system had no thread to give just when it came.

A pool may also have no threads at all. Then its jobs are run by whoever calls `Pool.run_one`, one job per call: this is for
programs with a main loop of their own.

Waking a thread costs more than running a short job. So threads are called one after the other: a thread that takes a lane calls one
more if there is another lane. If the jobs are short, the first thread has done everything before the second one comes, and that finds
nothing left; if they are slow, the second one takes a lane and calls a third.

A lane holds a bounded amount. Beyond that, the oldest jobs are dropped, as live data is worth more the newer it is, and the caller is
told how much was dropped. In no case does anybody stop reading the socket: a server drops a client that does not read.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ..runtime.clock import AT_A_TIME, Deadline

log = logging.getLogger(__name__)

#: What runs on a lane.
Job = Callable[[], None]

#: The default bound of a pool's threads: this many callbacks may be slow at the same time.
MOST_THREADS = 16

#: Seconds that a thread waits for something to do before it ends, unless it is the last.
_LINGER = 5.0

#: Seconds that the last one waits at a time: how long it may oversleep a call if Ctrl-C struck the caller before it could wake it.
_LAST_LINGER = 30.0


#: Which lane each thread waits for, to detect circles. For all pools, as a thread of one may wait for a lane of another.
_waits: dict[threading.Thread | None, Lane] = {}


class _Hand:
    """A thread of a pool."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.thread: threading.Thread
        # a queue and not a lock: one wake too many does no harm to a queue, but a lock must not be released twice
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        """Have `wait` return."""
        self._tokens.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait to be woken; tell whether that happened in time."""
        try:
            self._tokens.get(timeout=seconds)
        except Empty:
            return False
        return True


class Pool:
    """
    Threads ``connectordb-<name>-1`` and so on, which run the jobs of many lanes.

    Args:
        name: What the threads are called.
        most: How many threads there are at most; 0 if `run_one` is to do their work.
    """

    def __init__(self, name: str, most: int = MOST_THREADS) -> None:
        self._name = name
        self._most = most
        # guards everything below, and the fields of all lanes
        self._lock = threading.Lock()
        #: Notified for whoever waits in `run_one`.
        self._something_to_do = threading.Condition(self._lock)
        self._something_done = threading.Condition(self._lock)
        #: Lanes with something to do that no thread has taken yet.
        self._ready: deque[Lane] = deque()
        self._hands: dict[int, _Hand] = {}
        #: Threads with nothing to do. The last one to come is called first, so that the others can end.
        self._idle: list[_Hand] = []
        #: The thread that was called and has not come yet.
        self._called: _Hand | None = None
        self._lacks_threads = False
        self._closed = False

    def lane(self, most: float = float("inf")) -> Lane:
        """Return a new lane that holds at most *most*, measured by the weights of its jobs."""
        return Lane(self, most)

    def close(self, deadline: Deadline) -> bool:
        """
        End the threads once the jobs that run now are done; tell whether they have ended.

        If called on one of these threads, this does not wait: they end by themselves.
        """
        with self._lock:
            self._closed = True
            self._ready.clear()
            self._something_to_do.notify_all()
            hands = list(self._hands.values())
        for hand in hands:
            hand.wake()
        threads = [hand.thread for hand in hands]
        if threading.current_thread() in threads:
            return True
        for thread in threads:
            thread.join(deadline.left())
        return not any(thread.is_alive() for thread in threads)

    def run_one(self, deadline: Deadline) -> bool:
        """
        Run one job on the calling thread, as soon as there is one. For a pool without threads; any thread may call it.

        What the job raises is logged, unless it is not an `Exception`, as with sys.exit() and Ctrl-C: that goes up to the caller.

        Returns:
            Whether there was one before the deadline, and before the pool was closed.
        """
        lane: Lane | None = None
        job: Job | None = None
        has_begun = False
        try:
            with self._lock:
                while not self._ready:
                    left = deadline.left()
                    if self._closed or left == 0.0:
                        return False
                    self._something_to_do.wait(AT_A_TIME if left is None else min(left, AT_A_TIME))
                # Ctrl-C can only strike after a call. There is none between taking a lane, or a job, and having noted that
                me = threading.current_thread()
                lane = self._ready[0]
                lane._thread = me
                del self._ready[0]
                job = lane._begin(me)
            has_begun = True
            job()
        except Exception:
            log.exception("a job of connectordb-%s failed; this is a bug", self._name)
        finally:
            if lane is not None:
                unbegun = None if has_begun else job
                try:
                    self._let_go(lane, unbegun)
                except KeyboardInterrupt:
                    self._let_go(lane, unbegun, again=True)
                    raise
        return True

    def _let_go(self, lane: Lane, unbegun: Job | None, again: bool = False) -> None:
        """Leave a lane to others, with the job that was not begun, if any; *again*: an earlier attempt at this was interrupted."""
        with self._lock:
            if lane._thread is threading.current_thread():
                if again and lane in self._ready:
                    self._ready.remove(lane)
                lane._end(unbegun)
            if self._ready:  # this thread may not come back, and another one may be waiting
                self._something_to_do.notify()

    def _schedule(self, lane: Lane) -> _Hand | None:
        """Have the next job of *lane* run; called under the lock. Returns a thread that the caller has to wake after releasing it."""
        if self._closed:
            return None
        lane._scheduled = True
        try:
            self._ready.append(lane)
            return self._call()
        except BaseException as error:  # Ctrl-C, or no thread
            if isinstance(error, RuntimeError):
                self._lacks_a_thread(error)
                if self._hands:
                    return None
            # there is no thread that would ever take it
            self._ready.remove(lane)
            lane._scheduled = False
            raise

    def _call(self) -> _Hand | None:
        """Call a thread for what is ready, if none is on its way; called under the lock, returns the same as `_schedule`."""
        if self._called is not None or not self._ready:
            return None
        if self._idle:
            # no function calls in here, after which Ctrl-C could strike: the thread would be neither idle nor called
            self._called = self._idle[-1]
            del self._idle[-1]
            return self._called
        if len(self._hands) < self._most:
            self._hire()
        elif not self._most:
            self._something_to_do.notify()
        return None

    def _hire(self) -> None:
        number = next(number for number in range(1, self._most + 1) if number not in self._hands)
        hand = _Hand(number)
        hand.thread = threading.Thread(
            target=self._work, args=(hand,), name=f"connectordb-{self._name}-{number}", daemon=True
        )
        self._hands[number] = self._called = hand
        try:
            hand.thread.start()
        except BaseException:  # no more threads; or Ctrl-C, and this one may start all the same: `_work` ends it then
            del self._hands[number]
            self._called = None
            raise

    def _work(self, hand: _Hand) -> None:
        with self._lock:
            if self._hands.get(hand.number) is not hand:
                return
        lane: Lane | None = None
        try:
            while True:
                with self._lock:
                    if lane is not None:
                        lane._end()
                    lane, other = self._take(hand)
                    job = None if lane is None else lane._begin(hand.thread)
                if other is not None:
                    other.wake()
                if job is None:
                    if not self._rest(hand):
                        return
                    continue
                try:
                    job()
                except Exception:
                    log.exception("a job on %s failed; this is a bug", hand.thread.name)
        except BaseException as error:  # a callback called sys.exit(): that ends this thread, and no other
            log.error("%s was ended by a callback: %r; others go on", hand.thread.name, error)
            self._leave(hand, lane)
            raise

    def _take(self, hand: _Hand) -> tuple[Lane | None, _Hand | None]:
        """Return the first lane that is ready, if any, and the thread to be woken for the next; called under the lock."""
        if self._called is hand:
            self._called = None
        if not self._ready:
            self._idle.append(hand)
            return None, None
        lane = self._ready.popleft()
        try:
            return lane, self._call()
        except RuntimeError as error:
            self._lacks_a_thread(error)
            return lane, None

    def _lacks_a_thread(self, error: RuntimeError) -> None:
        if not self._lacks_threads:
            log.warning("there are no more threads for %s: callbacks wait for each other: %s", self._name, error)
        self._lacks_threads = True

    def _rest(self, hand: _Hand) -> bool:
        """Wait until *hand* is called; false if it is to end."""
        woken = True
        while True:
            with self._lock:
                if self._called is hand:
                    return True
                is_last = len(self._hands) == 1
                if self._closed or not (woken or is_last):
                    self._idle.remove(hand)
                    del self._hands[hand.number]
                    return False
            woken = hand.wait(_LAST_LINGER if is_last else _LINGER)

    def _leave(self, hand: _Hand, lane: Lane | None) -> None:
        """Forget *hand*, and call another thread for what waits."""
        with self._lock:
            if lane is not None:
                lane._end()
            del self._hands[hand.number]
            other = self._call()
        if other is not None:
            other.wake()

    def _wait_for(self, lane: Lane, deadline: Deadline) -> bool:
        """Wait until no job of *lane* runs; called under the lock."""
        me = threading.current_thread()
        while lane._thread is not None and not self._is_circle(lane, me):
            left = deadline.left()
            if left == 0.0:
                return False
            _waits[me] = lane
            try:
                self._something_done.wait(AT_A_TIME if left is None else min(left, AT_A_TIME))
            finally:
                del _waits[me]
        return True

    def _is_circle(self, lane: Lane, me: threading.Thread) -> bool:
        """Tell whether *lane* runs on thread *me*, or waits for a lane that does, as of two callbacks that close each other."""
        seen: set[Lane] = set()
        at: Lane | None = lane
        while at is not None and at not in seen:
            if at._thread is me:
                return True
            seen.add(at)
            at = _waits.get(at._thread)
        return False


class Lane:
    """Jobs that run one at a time, in order, on the threads of a pool. The pool's lock guards its fields."""

    def __init__(self, pool: Pool, most: float) -> None:
        self._pool = pool
        self._most = most
        self._jobs: deque[tuple[Job, int]] = deque()
        self._held = 0
        self._thread: threading.Thread | None = None
        self._scheduled = False
        self._closed = False

    @property
    def has_threads(self) -> bool:
        """Whether its jobs run on the pool's threads, and not only when somebody calls `Pool.run_one`."""
        return self._pool._most > 0

    def put(self, job: Job, weight: int = 0) -> int:
        """
        Run *job* after those that already wait; on a closed lane, never.

        Args:
            job: What to run. It has to handle its own exceptions.
            weight: How much of the lane's bound it takes up; 0 if it must not be dropped.

        Returns:
            The weight of the oldest jobs, which were dropped to make room.

        Raises:
            RuntimeError: The system has no thread for it. It runs when something else is put.
        """
        dropped, hand = 0, None
        with self._pool._lock:
            if self._closed:
                return 0
            while weight and self._held and self._held + weight > self._most:
                dropped += self._drop_oldest()
            self._held += weight
            self._jobs.append((job, weight))
            if not self._scheduled:
                hand = self._pool._schedule(self)
        if hand is not None:
            hand.wake()  # after the lock is released: it would run into it at once
        return dropped

    def close(self, deadline: Deadline) -> bool:
        """
        Drop what waits, and wait for the job that runs; tell whether it has ended.

        If called by that job itself, or by one that it waits for, this does not wait.
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

    def _begin(self, thread: threading.Thread) -> Job:
        self._thread = thread
        if not self._jobs:  # closed since it was scheduled
            return _nothing
        job, weight = self._jobs[0]
        del self._jobs[0]
        self._held -= weight
        return job

    def _end(self, unbegun: Job | None = None) -> None:
        if unbegun is not None and not (self._jobs and self._jobs[0][0] is unbegun):
            self._jobs.appendleft((unbegun, 0))  # its weight was taken off when it was begun
        if _waits:
            self._pool._something_done.notify_all()
        self._scheduled = bool(self._jobs)
        if self._scheduled and not self._pool._closed:
            self._pool._ready.append(self)  # the calling thread is free now, so no other has to be called
        self._thread = None  # last: if Ctrl-C comes before, `_let_go` does all of this again


def _nothing() -> None:
    """Do nothing."""
