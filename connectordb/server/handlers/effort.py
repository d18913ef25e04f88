"""
Limits on computing an answer: how long it may take, how large it may become, and how much it may hold in memory.

Time spent waiting does not count, whether for a client that reads, for a thread or for the storage.
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
    A limit was exceeded, or nobody waits for the answer any more.

    It is no `PipeScriptError`, because transforms that look ahead take that for the end of their points.
    """


class Effort:
    """
    Counts what goes into an answer. One thread at a time computes; any thread may `stop` it.

    Args:
        seconds: How long computing it may take.
        size: How many bytes it may have.
        held: How many bytes of points, as text, may be in memory for it at once. A single stream may exceed this.
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
        """Begin to count for another answer."""
        self._left, self._made = self._seconds, 0

    def stop(self) -> None:
        """End what is being computed soon, and let nothing more be computed."""
        self._stopped = True

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count the time that the block takes."""
        self._end = self._clock.monotonic() + self._left
        try:
            yield
        finally:
            self._left = max(0.0, self._end - self._clock.monotonic())
            self._end = None

    def waiting(self, fetch: Fetch) -> Fetch:
        """Return a `Fetch` whose time does not count."""

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
        Count the bytes of points that a stream has in memory now, in place of those *before*.

        Raises:
            TooMuch: Together with those of the other streams they are too many.
        """
        self._held += size - before
        if self._held > max(self._most_held, size):
            raise TooMuch(f"the points of these streams are too large to have {self._held} bytes of them at once")

    def made(self, size: int) -> None:
        """
        Count bytes of the answer.

        Raises:
            TooMuch: The answer is too large, or no time is left.
        """
        self._made += size
        if self._made > self._size:
            raise TooMuch(f"what is computed has more than {self._size} bytes; ask for less at once")
        self()

    def __call__(self) -> None:
        """
        Check the time. To be called now and then during the work.

        Raises:
            TooMuch: No time is left, or the work was stopped.
        """
        if self._end is not None and self._clock.monotonic() > self._end:
            raise TooMuch(f"computing this takes longer than {self._seconds:g} s; ask for less at once")
        if self._stopped:
            raise TooMuch("nobody waits for this any more")
