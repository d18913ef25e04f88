"""
What follows from a write, done on the event loop in the order of the commits.

A request may not be waited for any more when its write is committed; what follows from it, subscribers being told above all,
happens nevertheless, and before whoever waits for the write goes on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Aftermath:
    """The writes of one storage whose consequences are to come. `after` is called on the event loop's thread only."""

    def __init__(self) -> None:
        # appended to by the storage's thread, emptied by the loop's; deques are made for that
        self._committed: deque[Callable[[], None]] = deque()
        #: Whether the loop has been told that there is something. Set after appending and cleared before looking, so that
        #: nothing is overlooked.
        self._told = False

    def after(self, write: Future[T], then: Callable[[T], None]) -> Future[T]:
        """
        Have *then* called with the result of a write that succeeds; return the same future.

        What it raises the loop logs; what follows from other writes is done all the same.
        """
        loop = asyncio.get_running_loop()

        def committed(done: Future[T]) -> None:
            if done.cancelled() or done.exception() is not None or loop.is_closed():
                return
            self._committed.append(lambda: then(done.result()))
            if not self._told:
                self._told = True
                loop.call_soon_threadsafe(self._follow)

        # before anybody waits for the future: callbacks are called in the order in which they were added
        write.add_done_callback(committed)
        return write

    def _follow(self) -> None:
        self._told = False
        try:
            while self._committed:
                self._committed.popleft()()
        finally:
            if self._committed:  # it raised
                asyncio.get_running_loop().call_soon(self._follow)
