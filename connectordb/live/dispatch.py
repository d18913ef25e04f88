"""
The threads that run user code, and the bounded queues before them.

Every subscription has a `Lane`, a queue of its own whose jobs run one at a time and in order. The lanes share a `Pool` of
threads that grows to as many threads as lanes have something to do at the same moment, up to a bound, and shrinks to one when
they are idle: a slow callback keeps one thread busy, not its neighbours, and a thousand quiet subscriptions cost next to nothing.
(One thread per subscription would cost a thousand stacks; a fixed few would stand still as soon as so many callbacks are slow.)
The last one stays, as a system that has no thread to give just when something comes would leave it lying.

A pool may also have no threads at all: then its jobs are run by whoever calls `Pool.run_one`, one each time, as a program wants
that has a main loop of its own.

That many threads are not woken for many lanes: of a hundred that have something to do at once, each for a moment, one thread
runs all, as waking another costs more than that. Whoever takes a lane has one more thread come if there is another lane; that
one finds nothing left, or else goes on in the same way, where the first one's callback is slow.

A lane holds a bounded amount. Beyond it the oldest jobs give way: what is live is worth more the newer it is, the caller is
told how much went, and nobody ever stops reading the socket, as a server drops a client that does not read.
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

#: Threads that a pool has at most, unless it is told otherwise: so many callbacks may be slow at the same time.
MOST_THREADS = 16

#: Seconds that a thread waits for something to do before it ends, unless it is the last.
_LINGER = 5.0

#: Seconds that the last one waits at a time; so long somebody called may sleep on whose caller was struck by Ctrl-C.
_LAST_LINGER = 30.0


#: Which lane a thread waits for, to see circles; of all pools, as a thread of one may wait for a lane of another.
_waits: dict[threading.Thread | None, Lane] = {}


class _Hand:
    """A thread of a pool."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.thread: threading.Thread
        # a token too many does no harm here, where a lock must not be released twice
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        """Have `wait` return."""
        self._tokens.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait to be woken; tell whether that was it."""
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
        most: How many they are at the most; 0 for none: who calls `run_one` does their work.
    """

    def __init__(self, name: str, most: int = MOST_THREADS) -> None:
        self._name = name
        self._most = most
        # guards everything below, and the fields of all lanes
        self._lock = threading.Lock()
        #: For who calls `run_one`.
        self._something_to_do = threading.Condition(self._lock)
        self._something_done = threading.Condition(self._lock)
        #: Lanes with something to do that no thread has taken yet.
        self._ready: deque[Lane] = deque()
        self._hands: dict[int, _Hand] = {}
        #: Those with nothing to do. Who came last is called first, so that the others can end.
        self._idle: list[_Hand] = []
        #: Who was called and has not come yet.
        self._called: _Hand | None = None
        self._lacks_threads = False
        self._closed = False

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
        Run one job on the calling thread, once there is one; of a pool without threads, from any thread.

        What the job raises is logged, but for what is no `Exception`, as sys.exit() and Ctrl-C: that goes up to the caller.

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
                # Ctrl-C strikes behind calls, and there is none from where a lane, and its job, are taken to where that is known
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
        """Leave a lane to others, and on it a job that was not begun; *again*: it was broken off in the midst of that."""
        with self._lock:
            if lane._thread is threading.current_thread():
                if again and lane in self._ready:
                    self._ready.remove(lane)
                lane._end(unbegun)
            if self._ready:  # this thread may not come back, another perhaps waits
                self._something_to_do.notify()

    def _schedule(self, lane: Lane) -> _Hand | None:
        """Have the next job of *lane* run; called under the lock. Who is returned is to be woken when it is free again."""
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
            # nobody is there who would come to it
            self._ready.remove(lane)
            lane._scheduled = False
            raise

    def _call(self) -> _Hand | None:
        """Have a thread come for what is ready, if none is on its way; called under the lock, returns as `_schedule`."""
        if self._called is not None or not self._ready:
            return None
        if self._idle:
            # no calls, behind which Ctrl-C strikes: it would be neither here nor there
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
        except BaseException:  # there are no more; or Ctrl-C, and it may come all the same: then it ends at once
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
        """Return the first lane that is ready, if any, and who is to be woken for the next; called under the lock."""
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
        """Forget *hand*, and have another do what waits."""
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
        """Tell whether *lane* runs on this thread, or waits for one that does: two callbacks that end each other."""
        seen: set[Lane] = set()
        at: Lane | None = lane
        while at is not None and at not in seen:
            if at._thread is me:
                return True
            seen.add(at)
            at = _waits.get(at._thread)
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

    @property
    def has_threads(self) -> bool:
        """Whether its jobs run by themselves, and not when somebody calls `Pool.run_one`."""
        return self._pool._most > 0

    def put(self, job: Job, weight: int = 0) -> int:
        """
        Run *job* after those that wait already; on a closed lane, never.

        Args:
            job: What to run. Its exceptions are its own business.
            weight: How much of the lane it takes, 0 for what must not be dropped.

        Returns:
            The weight of the oldest jobs that had to give way.

        Raises:
            RuntimeError: No thread can be had that would run it; it runs with what is put next.
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
            hand.wake()  # behind the lock, into which it would run
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
            self._jobs.appendleft((unbegun, 0))  # it counted when it came
        if _waits:
            self._pool._something_done.notify_all()
        self._scheduled = bool(self._jobs)
        if self._scheduled and not self._pool._closed:
            self._pool._ready.append(self)  # this very thread is free now, no other is needed
        self._thread = None  # last: who is interrupted before has to do it again


def _nothing() -> None:
    """Do nothing."""
