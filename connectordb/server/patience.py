"""
How long the answer to a request is wanted: while its client is there, and until the client's own deadline.

Work that has not begun by then is not done. Reading that has begun is left to itself, and its result dropped; a change that has
begun is finished, and what came of it is answered: nobody is told "not in time" about something that was stored.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from ..exceptions import ConnectorDBError
from ..protocol.features import TIMEOUT
from .aftermath import Promise

T = TypeVar("T")

#: The header in which a client says how many seconds it waits.
HEADER = TIMEOUT


class NotWanted(ConnectorDBError):
    """Nobody waits for the answer any more, and nothing was changed."""


class Patience:
    """
    Whether an answer is still wanted. Used on the event loop's thread only.

    Args:
        seconds: How long the client waits; `None` if it does not say.
    """

    __slots__ = ("_give_up", "_timer", "gone", "passed")

    def __init__(self, seconds: float | None = None) -> None:
        #: Whether the client has closed the connection, or has waited long enough.
        self.gone = False
        self.passed = False
        self._give_up: Callable[[], Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._pass)

    def close(self) -> None:
        """Forget about the deadline: the answer is made."""
        if self._timer is not None:
            self._timer.cancel()

    def leave(self) -> None:
        """Take note that the client is gone."""
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
        Do nothing while the answer is wanted.

        Raises:
            NotWanted: It is not.
        """
        if self.gone:
            raise NotWanted("the client is gone")
        if self.passed:
            raise NotWanted("the client's deadline has passed; nothing was changed")

    async def read(self, work: Future[T] | Promise[T]) -> T:
        """
        Wait for the result of something that changes nothing.

        Raises:
            NotWanted: The answer is not wanted any more. What had not begun will not be done.
        """
        waiter = _waiter(work)

        def give_up() -> None:
            work.cancel()  # does nothing if it runs; then at least nobody waits for it
            waiter.cancel()

        return await self._wait(waiter, give_up)

    async def change(self, work: Future[T] | Promise[T]) -> T:
        """
        Wait for the result of a change; once it has begun, whatever happens.

        Raises:
            NotWanted: The answer was not wanted any more before it had begun; it will not be done.
        """
        # cancels the work alone, which refuses if it runs
        return await self._wait(_waiter(work), work.cancel)

    async def attend(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Do something on the event loop.

        Raises:
            NotWanted: The deadline passed meanwhile; it was cancelled. That the client is gone, such work finds out itself.
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
            raise  # it is the server that stops
        finally:
            self._give_up = None


def _waiter(work: Future[T] | Promise[T]) -> asyncio.Future[T]:
    return asyncio.wrap_future(work) if isinstance(work, Future) else work.waiter


def read_timeout(text: str | None) -> float | None:
    """
    Return the seconds that `HEADER` says; `None` if it is not there.

    Raises:
        ValueError: It says no number of seconds.
    """
    if text is None:
        return None
    seconds = float(text) if len(text) <= 32 else math.nan
    if not 0 < seconds < math.inf:
        raise ValueError("it is not above 0, or too long")
    return seconds
