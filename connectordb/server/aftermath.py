"""
Bringing the results of the storage's work to the event loop: in the order of the commits, and many with one wake-up.

What follows from a write, such as telling subscribers, happens whether or not somebody still waits for its request. The request
itself goes on first, one turn of the loop earlier: telling a hundred subscribers takes a millisecond, in which the answer can be
on its way.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Aftermath:
    """The results that one storage has for one event loop. Made and used on the loop's thread, except where noted."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # the storage's threads append, the loop's thread removes; a deque allows that without a lock
        self._done: deque[Promise[Any]] = deque()
        #: Whether the loop has been woken. Set after appending and cleared before looking, so that nothing is missed.
        self._told = False

    def promise(self, then: Callable[[T], object] | None = None) -> Promise[T]:
        """
        Return a promise of work that is about to be handed to the storage.

        Args:
            then: Called with the result if the work succeeds. If it raises, the loop logs that, and whoever waits for the result
                gets it all the same.
        """
        return Promise(self, self._loop, then)

    def add(self, promise: Promise[Any]) -> None:
        """Add work that is done. Called by the storage's threads."""
        self._done.append(promise)

    def wake(self) -> None:
        """Have the loop deliver what was added. Called by the storage's threads."""
        if not self._told and not self._loop.is_closed():
            self._told = True
            self._loop.call_soon_threadsafe(self._follow)

    def _follow(self) -> None:
        self._told = False
        while self._done:
            promise = self._done.popleft()
            promise.keep()
            # runs after the task that keep() has just woken, and before anything that comes in later
            self._loop.call_soon(promise.follow)


class Promise(Generic[T]):
    """
    A piece of the storage's work and its result. It does what a `concurrent.futures.Future` wrapped in an `asyncio.Future` does,
    at a fraction of the cost.

    Attributes:
        waiter: Await this for the result.
    """

    __slots__ = ("_aftermath", "_begun", "_error", "_result", "_then", "waiter")

    def __init__(
        self, aftermath: Aftermath, loop: asyncio.AbstractEventLoop, then: Callable[[T], object] | None
    ) -> None:
        self._aftermath = aftermath
        self._then = then
        #: Acquired once and never released: by the thread that begins the work, or by `cancel`.
        self._begun = threading.Lock()
        self._result: Any = None
        self._error: BaseException | None = None
        self.waiter: asyncio.Future[T] = loop.create_future()

    # --- on the loop ---

    def cancel(self) -> bool:
        """Cancel the work if it has not begun; return whether it was cancelled."""
        if not self._begun.acquire(blocking=False):
            return False
        self.waiter.cancel()
        return True

    def keep(self) -> None:
        """Give the result, or the error, to whoever waits."""
        waiter, error = self.waiter, self._error
        if error is not None:
            # the error's traceback refers to this promise; if the promise kept the error, that would be a reference cycle
            self._error = self._then = None
            if not waiter.done():
                waiter.set_exception(error)
        elif not waiter.done():
            waiter.set_result(self._result)

    def follow(self) -> None:
        """Do what follows from the result, if the work succeeded."""
        if self._then is not None:
            self._then(self._result)

    # --- on the storage's threads ---

    def set_running_or_notify_cancel(self) -> bool:
        """Begin the work, unless it is not wanted any more; return whether it begins."""
        # a waiter whose task was cancelled does not want it either
        return not self.waiter.cancelled() and self._begun.acquire(blocking=False)

    def set_result(self, result: T) -> None:
        """Note what the work returned."""
        self._result = result
        self._aftermath.add(self)

    def set_exception(self, error: BaseException) -> None:
        """Note what the work raised."""
        self._error = error
        self._aftermath.add(self)

    @property
    def wake(self) -> Callable[[], object]:
        """Wakes the loop, for this and for all other work that is done."""
        return self._aftermath.wake
