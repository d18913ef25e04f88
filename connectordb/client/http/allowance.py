"""`Allowance`: how long the next wait of a request may be, given its phase and what is left of the whole time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ...runtime.clock import Clock, Deadline
from ..terms import Timeout
from ..terms.trace import Trace


class Allowance:
    """
    The time that one request may take.

    Args:
        timeout: The limits of its phases.
        deadline: When all of it has to be over.
        trace: Gets the phase, and what the request costs.
        clock: The clocks.

    Attributes:
        began: When it began, by the monotonic clock.
        trace: What it costs.
        connecting: The deadline of the connection that is being made; ``None`` if none is being made.
        handled: The exception that the caller was handling when the request began, if any. Python makes it the context of all that
            is raised meanwhile, although it has nothing to do with the request.
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
        Return the seconds that are left for making the connection, and note its next *phase*.

        Raises:
            TimeoutError: None are left.
        """
        self.trace.phase = phase
        return self._seconds(self._timeout.connect if self.connecting is None else self.connecting.left() or 0.0)

    def to_wait(self) -> float:
        """Return the seconds that are left to wait for a free connection; 0 if none are left."""
        self.trace.phase = "pool"
        waited = self._clock.monotonic() - self.began
        left = self._deadline.left()
        free = max(0.0, self._timeout.pool - waited)
        return free if left is None else min(free, left)

    def to_write(self) -> float:
        """
        Return the seconds within which the network has to accept more bytes.

        Raises:
            TimeoutError: None are left.
        """
        if self.connecting is not None:  # this talks to a proxy
            return self.to_connect(self.trace.phase)
        self.trace.phase = "write"
        return self._seconds(self._timeout.write)

    def to_read(self) -> float:
        """
        Return the seconds within which more bytes have to come.

        Raises:
            TimeoutError: None are left.
        """
        if self.connecting is not None:
            return self.to_connect(self.trace.phase)
        self.trace.phase = "read"
        return self._seconds(self._timeout.read)

    def until(self, deadline: Deadline) -> None:
        """Replace the deadline of the whole."""
        self._deadline = deadline

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time that passes in the block, as it is the program's and not the network's."""
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
        """Note how long the request took, and return the present time of the monotonic clock."""
        now = self._clock.monotonic()
        self.trace.seconds = now - self.began
        return now

    def what_ended(self) -> str:
        """Return in words which of the limits was exceeded; called when one was."""
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
