"""
What requests cost: counters for one call, for a block of code, and for a session.

Each call counts into a `Stats` of its own, which is added to the others once, at its end. So threads share nothing while a request
is under way, and an exception can tell what its call has cost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trace import Trace

#: The most parts of the server's own time that are kept.
_MOST_PARTS = 16

_SUMS = (
    *("calls", "failures", "requests", "retries", "answers", "bytes_out", "bytes_in", "points_inserted", "points_read"),
    *("points_heard", "reconnects", "seconds", "seconds_to_first_byte"),
)


class Stats:
    """
    What calls to a server have cost.

    Attributes:
        calls: Calls that asked the server.
        failures: Calls that raised an exception.
        requests: Requests that were begun; more than `calls` if some were retried.
        retries: Requests that repeated another.
        answers: Requests that were answered, with any status.
        bytes_out: Bytes sent, including headers; before encryption.
        bytes_in: Bytes received; before decompression.
        points_inserted: Points in inserts that the server confirmed; without those whose answer was lost and that were found later.
        points_read: Points in answers.
        points_heard: Points that were handed to callbacks of subscriptions; only counted for a connection.
        reconnects: How often the websocket was reconnected after a loss; only counted for a connection.
        seconds: The time that all requests took together.
        slowest: The time that the slowest request took.
        seconds_to_first_byte: The time to the first byte of the answer, for all requests together.
        server: The seconds that the server itself took, as it reports them: ``"total"``, and of that ``"queue"``, ``"login"``,
            ``"storage"``, ``"flush"``. Empty if the server does not report them.
    """

    __slots__ = (*_SUMS, "slowest", "server")

    def __init__(self) -> None:
        self.calls = self.failures = self.requests = self.retries = self.answers = 0
        self.bytes_out = self.bytes_in = self.points_inserted = self.points_read = 0
        self.points_heard = self.reconnects = 0
        self.seconds = self.slowest = self.seconds_to_first_byte = 0.0
        self.server: dict[str, float] = {}

    @property
    def first_byte(self) -> float | None:
        """The average seconds to the first byte of an answer; ``None`` if there was no answer yet."""
        return self.seconds_to_first_byte / self.answers if self.answers else None

    def count(self, trace: Trace, status: int = 0, timing: str | None = None) -> None:
        """
        Count one request of a call.

        Args:
            trace: What it cost.
            status: The status of the answer; 0 if there was none.
            timing: The answer's ``Server-Timing``.
        """
        if self.requests:
            self.retries += 1
        self.requests += 1
        self.bytes_out += trace.bytes_out
        self.bytes_in += trace.bytes_in
        self.seconds += trace.seconds
        if trace.seconds > self.slowest:
            self.slowest = trace.seconds
        if status:
            self.answers += 1
            self.seconds_to_first_byte += trace.first_byte
        if timing is not None:
            self._spend(_parts(timing))

    def add(self, other: Stats) -> None:
        """Add the counts of *other*."""
        self.calls += other.calls
        self.failures += other.failures
        self.requests += other.requests
        self.retries += other.retries
        self.answers += other.answers
        self.bytes_out += other.bytes_out
        self.bytes_in += other.bytes_in
        self.points_inserted += other.points_inserted
        self.points_read += other.points_read
        self.points_heard += other.points_heard
        self.reconnects += other.reconnects
        self.seconds += other.seconds
        self.seconds_to_first_byte += other.seconds_to_first_byte
        if other.slowest > self.slowest:
            self.slowest = other.slowest
        self._spend(other.server.items())

    def _spend(self, parts: Iterable[tuple[str, float]]) -> None:
        server = self.server
        for part, seconds in parts:
            if part in server:
                server[part] += seconds
            elif len(server) < _MOST_PARTS:  # a server may report any names, but must not fill the memory with them
                server[part] = seconds

    def __sub__(self, earlier: Stats) -> Stats:
        """Return what came after *earlier*; only `slowest` remains that of the whole time, as it cannot be told apart."""
        later = Stats()
        for name in _SUMS:
            setattr(later, name, getattr(self, name) - getattr(earlier, name))
        later.slowest = self.slowest
        later.server = {part: seconds - earlier.server.get(part, 0.0) for part, seconds in self.server.items()}
        return later

    def as_dict(self) -> dict[str, Any]:
        """Return all figures by name, for a log or a report."""
        return {**{name: getattr(self, name) for name in (*_SUMS, "slowest")}, "server": dict(self.server)}

    def __eq__(self, other: object) -> bool:
        """Tell whether all counts are the same."""
        return self.as_dict() == other.as_dict() if isinstance(other, Stats) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it is mutable

    def __repr__(self) -> str:
        """Return the counts that are not 0."""
        shown = [
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.as_dict().items()
            if value and name != "server"
        ]
        spent = ", ".join(f"{part}: {seconds:.3g}" for part, seconds in self.server.items())
        return f"<Stats {' '.join([*shown, *([f'server={{{spent}}}'] if spent else [])]) or 'of nothing'}>"


class Statistics:
    """
    The counts of a session, to which many threads add.

    Args:
        reconnects: Returns how often the websocket was reconnected.
    """

    def __init__(self, reconnects: Callable[[], int] = lambda: 0) -> None:
        self._reconnects = reconnects
        # guards all counts; reentrant, as a signal handler that interrupts this thread may ask for them
        self._lock = threading.RLock()
        self._whole = Stats()
        #: For each thread, the blocks that measure it.
        self._here = threading.local()

    def add(self, cost: Stats, failed: bool = False) -> None:
        """
        Add what a call on this thread has cost.

        Args:
            cost: The counts of its requests; the call itself is counted here.
            failed: Whether it raised an exception.
        """
        cost.calls, cost.failures = 1, int(failed)
        blocks: tuple[Stats, ...] = getattr(self._here, "blocks", ())
        with self._lock:
            for counted in (self._whole, *blocks):
                counted.add(cost)

    def heard(self, points: int) -> None:
        """Count points that were handed to a callback."""
        with self._lock:
            self._whole.points_heard += points

    def snapshot(self) -> Stats:
        """Return the counts as they are now."""
        now = Stats()
        now.reconnects = self._reconnects()
        with self._lock:
            now.add(self._whole)
        return now

    @contextmanager
    def measure(self) -> Iterator[Stats]:
        """Yield the counts of the calls that this thread makes in the block."""
        block = Stats()
        self._here.blocks = (*getattr(self._here, "blocks", ()), block)
        try:
            yield block
        finally:
            # by identity, as two blocks with the same counts are equal
            self._here.blocks = tuple(other for other in self._here.blocks if other is not block)

    def handed_over(self) -> Callable[[], None]:
        """Return a function that another thread calls so that its calls are measured with those of this one."""
        here = getattr(self._here, "blocks", ())
        return lambda: setattr(self._here, "blocks", here)


def _parts(timing: str) -> Iterator[tuple[str, float]]:
    """Yield names and seconds from a ``Server-Timing`` as the embedded server writes it, in milliseconds: ``total;dur=1.5, …``."""
    for text in timing.split(","):
        part, _, milliseconds = text.partition(";dur=")
        try:
            yield part.strip(), float(milliseconds) / 1000
        except ValueError:  # no duration, or no number
            continue
