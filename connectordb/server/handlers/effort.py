"""How long the answer to one request may be computed; waiting for a client that reads does not count, nor for a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...exceptions import PipeScriptError
from ...runtime.clock import SYSTEM, Clock


class Effort:
    """
    What has gone into an answer.

    Args:
        seconds: What may.
    """

    def __init__(self, seconds: float, clock: Clock = SYSTEM) -> None:
        self._seconds = seconds
        self._clock = clock
        self._left = seconds
        #: When the present piece of work is to end.
        self._end: float | None = None

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count a piece of work."""
        self._end = self._clock.monotonic() + self._left
        try:
            yield
        finally:
            self._left = max(0.0, self._end - self._clock.monotonic())
            self._end = None

    def __call__(self) -> None:
        """
        Do nothing while there is time; to be called now and then during the work.

        Raises:
            PipeScriptError: There is none left.
        """
        if self._end is not None and self._clock.monotonic() > self._end:
            raise PipeScriptError(f"computing this takes longer than {self._seconds:g} s; ask for less at once")
