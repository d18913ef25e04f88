"""
Computing the answers of queries and transforms, on threads for that: it must hold up neither the storage nor the event loop.

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
    """The threads that compute, for requests and for subscriptions."""

    def __init__(self, queries: Queries) -> None:
        self._crew = Crew("queries", queries.threads, queries.waiting)
        #: Held while something is computed for a subscription, so that many subscriptions cannot fill the queue or all threads.
        self._telling = asyncio.Semaphore(max(queries.threads - 1, 1))

    def close(self) -> None:
        """End the threads; work that still waits for them is dropped."""
        self._crew.close()

    async def compute(self, work: Callable[[], T], patience: Patience | None = None) -> T:
        """
        Run a function on one of the threads.

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
        Run a function that computes what a subscription is told, after those that came before.

        Raises:
            Refusal: Too much is being computed.
        """
        async with self._telling:
            return await self.compute(work)
