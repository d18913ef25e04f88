"""
What is computed of points, on threads of its own: it must hold up neither the storage nor the event loop.

Used on the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from .config import Queries
from .crew import Busy, Crew
from .patience import Patience
from .refusal import Refusal

T = TypeVar("T")


class Computing:
    """The threads that compute, for whoever asks and for subscriptions."""

    def __init__(self, queries: Queries) -> None:
        self._crew = Crew("queries", queries.threads, queries.waiting)
        #: Held while something is computed for a subscription: what many subscribed to is not to fill the queue, nor all threads.
        self._telling = asyncio.Semaphore(max(queries.threads - 1, 1))

    def close(self) -> None:
        """End the threads; what waits for them is not done any more."""
        self._crew.close()

    async def compute(self, work: Callable[[], T], patience: Patience | None = None) -> T:
        """
        Have a function done on a thread for what takes long.

        Raises:
            Refusal: Too much is being computed.
            NotWanted: Nobody waits for it any more.
        """
        try:
            return await (patience or Patience()).read(self._crew.submit(work))
        except Busy as busy:
            raise Refusal(503, "Too many queries are being computed at once; try again later.") from busy

    async def tell(self, work: Callable[[], T]) -> T:
        """
        Have what a subscription is told computed, when others that came before have been.

        Raises:
            Refusal: Too much is being computed.
        """
        async with self._telling:
            return await self.compute(work)
