"""
`Lines`: the pool of connections to one server. Each is used by one thread at a time, and the one used last is used first.

A line is either in the list of idle ones or in a thread's hands. How many there are is counted by weak references: a line that gets
lost, because Ctrl-C came between two steps, is collected, and its place is free again.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from ...exceptions import ConnectionFailed, TimedOut
from ...runtime.clock import Clock
from .allowance import Allowance
from .line import Line

#: Seconds between two looks at whether it still makes sense to wait.
_LOOK = 0.25


class Lines:
    """
    The connections to one server.

    Args:
        size: How many there may be.
        idle_timeout: Seconds after which an unused one is not used again, as the server may be closing it.
        make: Makes a line, which connects when it is used.
        clock: The clocks.
    """

    def __init__(self, size: int, idle_timeout: float, make: Callable[[], Line], clock: Clock) -> None:
        self._size = size
        self._idle_timeout = idle_timeout
        self._make = make
        self._clock = clock
        self._closed = False
        #: The lines that are not in use, the one used last at the end.
        self._idle: deque[Line] = deque()
        #: A bell for each waiting thread; the one that has waited longest comes first.
        self._waiting: deque[SimpleQueue[None]] = deque()
        # guards `_all`
        self._lock = threading.Lock()
        self._all: list[weakref.ref[Line]] = []

    def take(self, allowance: Allowance) -> Line:
        """
        Return a line for one request; the caller has to give it back in any case.

        Raises:
            TimedOut: All are in use, and none became free in time.
            ConnectionFailed: The connections were closed.
        """
        while True:
            if self._closed:
                raise ConnectionFailed("the connections were closed")
            try:
                line = self._idle.pop()
            except IndexError:
                made = self._new()
                if made is not None:
                    return made
                self._wait(allowance)
            else:
                if allowance.began - line.used > self._idle_timeout:
                    line.close()
                return line

    def give_back(self, line: Line, now: float, is_good: bool) -> None:
        """Take a line back; one whose request failed is used only when there is no other."""
        line.used = now
        (self._idle.append if is_good else self._idle.appendleft)(line)
        if self._closed:
            self.drop()
        with suppress(IndexError):
            self._waiting.popleft().put(None)
        self._put_away(now)

    def drop(self) -> None:
        """Close the lines that are not in use."""
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def close(self) -> None:
        """Close all lines; requests that are under way end at once."""
        self._closed = True
        with self._lock:
            lines = [line for ref in self._all if (line := ref()) is not None]
        for line in lines:
            line.abort()
        self.drop()

    def abandon(self) -> None:
        """Let go of all lines without telling the server, as they belong to the process from which this one was forked."""
        for ref in list(self._all):  # without the lock, which may have been held at the fork
            line = ref()
            if line is not None:
                line.abandon()

    def _new(self) -> Line | None:
        """Return a new line, if there may be one more."""
        with self._lock:
            self._all = [ref for ref in self._all if ref() is not None]
            if len(self._all) >= self._size:
                return None
            line = self._make()
            self._all.append(weakref.ref(line))
        if self._closed:  # closed in between, by `close`, which may not have seen this line
            line.abort()
        return line

    def _wait(self, allowance: Allowance) -> None:
        """Wait until a line may be free."""
        seconds = allowance.to_wait()
        if not seconds:
            raise TimedOut(
                f"none of the {self._size} connections was free within {allowance.what_ended()}; allow more of them with "
                "pool_size=",
                "pool",
            )
        bell: SimpleQueue[None] = SimpleQueue()
        self._waiting.append(bell)
        try:
            if not self._idle:  # one may have been given back before the bell was in place
                bell.get(timeout=min(seconds, _LOOK))
        except Empty:
            pass
        finally:
            with suppress(ValueError):
                self._waiting.remove(bell)

    def _put_away(self, now: float) -> None:
        """Close the lines that have not been used for long."""
        while self._idle:
            try:
                oldest = self._idle.popleft()
            except IndexError:
                return  # another thread has taken it
            if now - oldest.used <= self._idle_timeout:
                self._idle.appendleft(oldest)
                return
            oldest.close()
