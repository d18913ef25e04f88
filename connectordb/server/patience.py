"""
How long the answer to a request is wanted: until its client goes away, or until the client's own deadline.

Work that has not begun by then is not done at all. A read that has begun is left running, and its result dropped. A change that
has begun is finished and answered: no client is told "not in time" about something that was stored.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from ..exceptions import ConnectorDBError
from .aftermath import Promise

T = TypeVar("T")


class NotWanted(ConnectorDBError):
    """Nobody waits for the answer any more, and nothing was changed."""


class Patience:
    """
    Whether an answer is still wanted. Used on the event loop's thread only.

    Args:
        seconds: How long the client will wait; `None` if it does not say.
    """

    __slots__ = ("_give_up", "_timer", "gone", "passed")

    def __init__(self, seconds: float | None = None) -> None:
        #: Whether the client has closed the connection, and whether its deadline has passed.
        self.gone = False
        self.passed = False
        #: Ends the wait that is under way, if there is one.
        self._give_up: Callable[[], Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._pass)

    def close(self) -> None:
        """Stop watching the deadline: the answer is ready."""
        if self._timer is not None:
            self._timer.cancel()

    def leave(self) -> None:
        """Note that the client has gone away."""
        self.gone = True
        self._end()

    def _pass(self) -> None:
        self.passed = True
        self._end()

    def _end(self) -> None:
        if self._give_up is not None:
            self._give_up()

    def check(self) -> None:
        """
        Raise an error if the answer is not wanted any more.

        Raises:
            NotWanted: It is not.
        """
        if self.gone:
            raise NotWanted("the client is gone")
        if self.passed:
            raise NotWanted("the client's deadline has passed; nothing was changed")

    async def read(self, work: Future[T] | Promise[T]) -> T:
        """
        Wait for the result of work that changes nothing.

        Raises:
            NotWanted: The answer is not wanted any more. If the work had not begun, it will not be done.
        """
        waiter = _waiter(work)

        def give_up() -> None:
            work.cancel()  # does nothing if it is running already; nobody waits for it then
            waiter.cancel()

        return await self._wait(waiter, give_up)

    async def change(self, work: Future[T] | Promise[T]) -> T:
        """
        Wait for the result of a change; once it has begun, wait to its end.

        Raises:
            NotWanted: The answer was not wanted any more before the change began; it will not be done.
        """
        # cancel() does nothing once the work is running, so the wait goes on then
        return await self._wait(_waiter(work), work.cancel)

    async def attend(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine until the deadline. That the client has gone away it has to find out by itself.

        Raises:
            NotWanted: The deadline passed, and it was cancelled.
        """
        if self._timer is None:
            return await work
        task = asyncio.ensure_future(work)
        return await self._wait(task, task.cancel)

    async def _wait(self, waiter: asyncio.Future[T], give_up: Callable[[], Any]) -> T:
        self._give_up = give_up
        if self.gone or self.passed:
            give_up()
        try:
            return await waiter
        except asyncio.CancelledError:
            self.check()
            raise  # not given up by us: the server is stopping
        finally:
            self._give_up = None


def _waiter(work: Future[T] | Promise[T]) -> asyncio.Future[T]:
    return asyncio.wrap_future(work) if isinstance(work, Future) else work.waiter


def read_timeout(text: str | None) -> float | None:
    """
    Return the seconds in the header ``ConnectorDB-Timeout``; `None` if it is not there.

    Raises:
        ValueError: It is no number of seconds.
    """
    if text is None:
        return None
    seconds = float(text) if len(text) <= 32 else math.nan
    if not 0 < seconds < math.inf:
        raise ValueError("it is not above 0, or too long")
    return seconds
