"""
What comes of work that the storage does, brought to the event loop: many results with one wake-up, in the order of the commits.

What follows from a write, subscribers being told above all, happens whether or not its request is still waited for. Whoever waits
is first, by one turn of the loop: telling a hundred subscribers takes a millisecond, in which his answer is on its way, and his
next request.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Aftermath:
    """All that one storage does for one event loop. Made and used on the loop's thread, but where it says otherwise."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # appended to by the storage's threads, emptied by the loop's; deques are made for that
        self._done: deque[Promise[Any]] = deque()
        #: Whether the loop has been told that there is something. Set after appending and cleared before looking, so that
        #: nothing is overlooked.
        self._told = False

    def promise(self, then: Callable[[T], object] | None = None) -> Promise[T]:
        """
        Return a promise of work that is about to be handed to the storage.

        Args:
            then: Called with the result of what succeeds. What it raises the loop logs; whoever waits goes on all the same.
        """
        return Promise(self, self._loop, then)

    def add(self, promise: Promise[Any]) -> None:
        """Take note that there is a result; called by the storage's threads."""
        self._done.append(promise)

    def wake(self) -> None:
        """Have the loop look at what there is; called by the storage's threads."""
        if not self._told and not self._loop.is_closed():
            self._told = True
            self._loop.call_soon_threadsafe(self._follow)

    def _follow(self) -> None:
        self._told = False
        while self._done:
            promise = self._done.popleft()
            promise.keep()
            # behind the task that this wakes, and before anything that comes in later
            self._loop.call_soon(promise.follow)


class Promise(Generic[T]):
    """
    Work of the storage and what comes of it. Like a `concurrent.futures.Future` with an `asyncio.Future` for it, at a fraction of
    the price.

    Attributes:
        waiter: What to wait for.
    """

    __slots__ = ("_aftermath", "_begun", "_error", "_result", "_then", "waiter")

    def __init__(
        self, aftermath: Aftermath, loop: asyncio.AbstractEventLoop, then: Callable[[T], object] | None
    ) -> None:
        self._aftermath = aftermath
        self._then = then
        #: Taken once: by the thread that begins the work, or by who does not want it any more.
        self._begun = threading.Lock()
        self._result: Any = None
        self._error: BaseException | None = None
        self.waiter: asyncio.Future[T] = loop.create_future()

    # --- on the loop ---

    def cancel(self) -> bool:
        """Have the work not done, if it has not begun; tell whether that is so."""
        if not self._begun.acquire(blocking=False):
            return False
        self.waiter.cancel()
        return True

    def keep(self) -> None:
        """Let go on whoever waits for the result."""
        waiter, error = self.waiter, self._error
        if error is not None:
            # an error's traceback holds much, which must not hold the error
            self._error = self._then = None
            if not waiter.done():
                waiter.set_exception(error)
        elif not waiter.done():
            waiter.set_result(self._result)

    def follow(self) -> None:
        """Have happen what follows from the result, if there is one."""
        if self._then is not None:
            self._then(self._result)

    # --- on the storage's threads ---

    def set_running_or_notify_cancel(self) -> bool:
        """Tell whether the work is still wanted; from then on it is done."""
        # who is cancelled while he waits does not want it, either
        return not self.waiter.cancelled() and self._begun.acquire(blocking=False)

    def set_result(self, result: T) -> None:
        """Take note of what the work returned."""
        self._result = result
        self._aftermath.add(self)

    def set_exception(self, error: BaseException) -> None:
        """Take note of what the work raised."""
        self._error = error
        self._aftermath.add(self)

    @property
    def wake(self) -> Callable[[], object]:
        """What has the loop look at this, and all else that is done."""
        return self._aftermath.wake
