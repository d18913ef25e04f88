"""How long the next wait of a request may be: by the phase that it is in, and by what is left of the whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ...runtime.clock import Clock, Deadline
from ..terms import Timeout
from ..terms.trace import Trace


class Allowance:
    """
    The time that one request has.

    Args:
        timeout: Phase by phase.
        deadline: When all of it is over.
        trace: Is told the phase.
        clock: The clocks.

    Attributes:
        began: When it began, by the monotonic clock.
        trace: What it costs.
        connecting: When the connection has to stand that is being made; ``None`` while none is.
        handled: The exception in whose handler the caller was then, if any: Python says of all that is raised there that it came from it.
    """

    __slots__ = ("_clock", "_deadline", "_timeout", "began", "connecting", "handled", "trace")

    def __init__(self, timeout: Timeout, deadline: Deadline, trace: Trace, clock: Clock) -> None:
        self._timeout = timeout
        self._deadline = deadline
        self._clock = clock
        self.trace = trace
        self.began = clock.monotonic()
        self.connecting: Deadline | None = None
        self.handled = sys.exc_info()[1]

    def begin_connecting(self) -> None:
        """Begin to make a connection."""
        self.connecting = Deadline(self._timeout.connect, self._clock)

    def to_connect(self, phase: str) -> float:
        """
        Return the seconds that are left for the connection to stand, and note what is done about it next.

        Raises:
            TimeoutError: None.
        """
        self.trace.phase = phase
        return self._seconds(self._timeout.connect if self.connecting is None else self.connecting.left() or 0.0)

    def to_wait(self) -> float:
        """Return the seconds to wait for a connection to be free; 0 if there are none left."""
        self.trace.phase = "pool"
        waited = self._clock.monotonic() - self.began
        left = self._deadline.left()
        free = max(0.0, self._timeout.pool - waited)
        return free if left is None else min(free, left)

    def to_write(self) -> float:
        """
        Return the seconds within which the network has to take something.

        Raises:
            TimeoutError: None are left.
        """
        if self.connecting is not None:  # a word to a proxy
            return self.to_connect(self.trace.phase)
        self.trace.phase = "write"
        return self._seconds(self._timeout.write)

    def to_read(self) -> float:
        """
        Return the seconds within which something has to come.

        Raises:
            TimeoutError: None are left.
        """
        if self.connecting is not None:
            return self.to_connect(self.trace.phase)
        self.trace.phase = "read"
        return self._seconds(self._timeout.read)

    def until(self, deadline: Deadline) -> None:
        """Have all of it be over at another time from now on."""
        self._deadline = deadline

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Do not count the time that passes in the block, in which nobody waits for the network."""
        left = self._deadline.left()
        yield
        self._deadline = Deadline(left, self._clock)

    def wrote(self, number: int) -> None:
        """Count bytes that were sent."""
        if self.connecting is None:
            self.trace.bytes_out += number

    def came(self, number: int) -> None:
        """Count bytes that came."""
        if self.connecting is None:
            if not self.trace.bytes_in:
                self.trace.first_byte = self._clock.monotonic() - self.began
            self.trace.bytes_in += number

    def end(self) -> float:
        """Note how long it took, and return the time."""
        now = self._clock.monotonic()
        self.trace.seconds = now - self.began
        return now

    def what_ended(self) -> str:
        """Return in words which of the times is over, which it is now."""
        self.end()
        if self._deadline.passed():
            return f"the {self.trace.seconds:.3g} s that there were for the whole"
        phase = self.trace.phase
        most = {"pool": self._timeout.pool, "write": self._timeout.write, "read": self._timeout.read}
        return f"{most.get(phase, self._timeout.connect):.3g} s"

    def _seconds(self, most: float) -> float:
        left = self._deadline.left()
        if left is not None and left < most:
            most = left
        if most <= 0.0:
            raise TimeoutError("timed out")
        return most
