"""
The connections that are kept to one server: so many, each used by one thread at a time, the one used last first.

Nothing here is locked for longer than it takes to look at a list of its own, and what a thread has taken comes back also where
Ctrl-C strikes between taking and using it: a turn is an object that gives itself back when it is let go.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ...exceptions import ConnectionFailed, TimedOut
from ...runtime.clock import Clock
from .allowance import Allowance
from .line import Line

#: Seconds between two looks at whether it still makes sense to wait.
_LOOK = 0.25


class _Turn:
    """The right to use one connection, until it is let go."""

    __slots__ = ("__weakref__", "_turns")

    def __init__(self, turns: SimpleQueue[_Turn]) -> None:
        self._turns = weakref.ref(turns)  # no circle: turns that wait go with their queue

    def __del__(self) -> None:
        turns = self._turns()
        if turns is not None:
            turns.put(_Turn(turns))


class Lines:
    """
    The connections to one server.

    Args:
        size: How many there may be.
        idle_timeout: Seconds after which one is not used again: the server may be closing it.
        make: Makes a line, which connects when it is used.
        clock: The clocks.
    """

    def __init__(self, size: int, idle_timeout: float, make: Callable[[], Line], clock: Clock) -> None:
        self._size = size
        self._idle_timeout = idle_timeout
        self._make = make
        self._clock = clock
        self._closed = False
        #: Those that nobody uses; the one used last at the end.
        self._idle: deque[Line] = deque()
        self._turns: SimpleQueue[_Turn] = SimpleQueue()
        for _ in range(size):
            self._turns.put(_Turn(self._turns))
        self._lock = threading.Lock()
        # guarded by the lock
        self._all: weakref.WeakSet[Line] = weakref.WeakSet()

    def take(self, allowance: Allowance) -> tuple[Line, _Turn]:
        """
        Return a line for one request, and the turn to hold on to meanwhile.

        Raises:
            TimedOut: All are in use, and none was free in time.
            ConnectionFailed: They were closed.
        """
        turn = self._next_turn(allowance)
        try:
            line = self._idle.pop()
        except IndexError:
            line = self._make()
            with self._lock:
                self._all.add(line)
            if self._closed:  # meanwhile, and did not see this one
                line.abort()
            return line, turn
        if allowance.began - line.used > self._idle_timeout:
            line.close()
        return line, turn

    def give_back(self, line: Line, now: float) -> None:
        """Take a line back that is good for another request."""
        line.used = now
        self._idle.append(line)
        if self._closed:
            self.drop()
        while self._idle:
            try:
                oldest = self._idle.popleft()
            except IndexError:
                return  # another thread has taken it
            if now - oldest.used <= self._idle_timeout:
                self._idle.appendleft(oldest)
                return
            oldest.close()

    def drop(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def close(self) -> None:
        """Close all; requests that are under way end at once."""
        self._closed = True
        with self._lock:
            lines = list(self._all)
        for line in lines:
            line.abort()
        self.drop()

    def abandon(self) -> None:
        """Let go of all without a word to the server: they are those of the process that this one was forked from."""
        for line in list(self._all):  # no lock: a thread that held it is not here
            line.close()

    def _next_turn(self, allowance: Allowance) -> _Turn:
        while True:
            if self._closed:
                raise ConnectionFailed("the connections were closed")
            seconds = allowance.to_wait()
            try:
                return self._turns.get(timeout=min(seconds, _LOOK)) if seconds else self._turns.get_nowait()
            except Empty:
                if not seconds:
                    allowance.end()
                    allowance.end()
                    raise TimedOut(
                        f"none of the {self._size} connections was free within {allowance.what_ended()}; allow more of them with "
                        "pool_size=",
                        "pool",
                    ) from None
