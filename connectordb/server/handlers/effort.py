"""
What may go into computing an answer, and how much may come out of it.

Waiting does not count: for a client that reads, for a thread, for the storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sys import maxsize
from typing import TypeVar

from ...exceptions import ConnectorDBError
from ...runtime.clock import SYSTEM, Clock
from ..storage import Reader
from .request import Fetch

T = TypeVar("T")


class TooMuch(ConnectorDBError):
    """
    No more may go into this, or come out of it, or nobody waits for it.

    It is no `PipeScriptError`: what looks ahead takes that for the end of its points.
    """


class Effort:
    """
    What has gone into an answer. One thread at a time computes; any may `stop` it.

    Args:
        seconds: What may.
        size: How many bytes may come out.
        held: How many bytes of points, as text, may be in memory at once for it; of one stream alone, more.
    """

    def __init__(self, seconds: float, size: int, held: int = maxsize, clock: Clock = SYSTEM) -> None:
        self._seconds = seconds
        self._size = size
        self._most_held = held
        self._clock = clock
        self._held = 0
        self._left = seconds
        self._made = 0
        #: When the present piece of work is to end.
        self._end: float | None = None
        self._stopped = False

    def renew(self) -> None:
        """Begin with another answer."""
        self._left, self._made = self._seconds, 0

    def stop(self) -> None:
        """Have what is being computed end soon, and nothing be computed any more."""
        self._stopped = True

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count a piece of work."""
        self._end = self._clock.monotonic() + self._left
        try:
            yield
        finally:
            self._left = max(0.0, self._end - self._clock.monotonic())
            self._end = None

    def waiting(self, fetch: Fetch) -> Fetch:
        """Return how to fetch without that counting as work."""

        def fetched(work: Callable[[Reader], T], /) -> T:
            self()
            begin = self._clock.monotonic()
            try:
                return fetch(work)
            finally:
                if self._end is not None:
                    self._end += self._clock.monotonic() - begin

        return fetched

    def hold(self, size: int, before: int = 0) -> None:
        """
        Count the points that a stream has in memory, in place of those that it had before.

        Raises:
            TooMuch: With those of the other streams they are too many.
        """
        self._held += size - before
        if self._held > max(self._most_held, size):
            raise TooMuch(f"the points of these streams are too large to have {self._held} bytes of them at once")

    def made(self, size: int) -> None:
        """
        Count bytes that come out.

        Raises:
            TooMuch: They are too many, or there is no time left.
        """
        self._made += size
        if self._made > self._size:
            raise TooMuch(f"what is computed has more than {self._size} bytes; ask for less at once")
        self()

    def __call__(self) -> None:
        """
        Do nothing while there is time; to be called now and then during the work.

        Raises:
            TooMuch: There is none left.
        """
        if self._end is not None and self._clock.monotonic() > self._end:
            raise TooMuch(f"computing this takes longer than {self._seconds:g} s; ask for less at once")
        if self._stopped:
            raise TooMuch("nobody waits for this any more")
