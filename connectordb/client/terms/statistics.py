"""
What requests cost: counters of one call, of a block of code, and of a session.

Each call counts its requests into a `Stats` of its own, and hands that over once, at its end. So nothing is shared while a
request is under way, and what it costs can be told by the exception that ends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trace import Trace

#: Parts that are kept.
_MOST_PARTS = 16

_SUMS = (
    *("calls", "failures", "requests", "retries", "answers", "bytes_out", "bytes_in", "points_inserted", "points_read"),
    *("points_heard", "reconnects", "seconds", "seconds_to_first_byte"),
)


class Stats:
    """
    Figures of calls to a server.

    Attributes:
        calls: Calls that asked the server.
        failures: Those of them that raised.
        requests: Requests that were begun; more than `calls` where some were tried again.
        retries: Requests that repeated one.
        answers: Requests that were answered, with whatever status.
        bytes_out: Bytes that were sent, headers included; before encryption.
        bytes_in: Bytes that came; before decompression.
        points_inserted: Points in inserts that the server confirmed; not those of a lost answer that are found there later.
        points_read: Points in answers.
        points_heard: Points that callbacks of subscriptions were called with; of a connection only.
        reconnects: How often the websocket was there again after a loss; of a connection only.
        seconds: How long the requests took, all together.
        slowest: How long the slowest of them took.
        seconds_to_first_byte: How long it took to the first byte of the answers, all together.
        server: What the server itself took, by its own account, in seconds: ``"total"``, and of that ``"queue"``, ``"login"``,
            ``"storage"``, ``"flush"``. Empty where the server does not tell.
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
        """Seconds to the first byte of an answer, on average; ``None`` while there is no answer."""
        return self.seconds_to_first_byte / self.answers if self.answers else None

    def count(self, trace: Trace, status: int = 0, timing: str | None = None) -> None:
        """
        Count one request of a call.

        Args:
            trace: What it cost.
            status: That of the answer; 0 if there was none.
            timing: What the answer's ``Server-Timing`` says.
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
        """Add what *other* has counted."""
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
            elif len(server) < _MOST_PARTS:  # what a server calls its parts is its own affair, how many we keep is ours
                server[part] = seconds

    def __sub__(self, earlier: Stats) -> Stats:
        """Return what came after *earlier*; `slowest` is that of the whole time, as nobody can tell it apart."""
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
        """Tell whether all figures are the same."""
        return self.as_dict() == other.as_dict() if isinstance(other, Stats) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        """Return those that are not 0."""
        shown = [
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.as_dict().items()
            if value and name != "server"
        ]
        spent = ", ".join(f"{part}: {seconds:.3g}" for part, seconds in self.server.items())
        return f"<Stats {' '.join([*shown, *([f'server={{{spent}}}'] if spent else [])]) or 'of nothing'}>"


class Statistics:
    """
    The figures of a session, which many threads add to.

    Args:
        reconnects: Returns how often the websocket was there again.
    """

    def __init__(self, reconnects: Callable[[], int] = lambda: 0) -> None:
        self._reconnects = reconnects
        # guards all figures; one that may be taken twice, as a signal's handler may ask for them
        self._lock = threading.RLock()
        self._whole = Stats()
        #: Blocks that measure, by thread.
        self._here = threading.local()

    def add(self, cost: Stats, failed: bool = False) -> None:
        """
        Take what a call on this thread has cost.

        Args:
            cost: Its requests; is told here that it was one call.
            failed: Whether it raised.
        """
        cost.calls, cost.failures = 1, int(failed)
        blocks: tuple[Stats, ...] = getattr(self._here, "blocks", ())
        with self._lock:
            for counted in (self._whole, *blocks):
                counted.add(cost)

    def heard(self, points: int) -> None:
        """Take note of points that a callback was called with."""
        with self._lock:
            self._whole.points_heard += points

    def snapshot(self) -> Stats:
        """Return the figures as they are now."""
        now = Stats()
        now.reconnects = self._reconnects()
        with self._lock:
            now.add(self._whole)
        return now

    @contextmanager
    def measure(self) -> Iterator[Stats]:
        """Yield figures of the calls that this thread makes in the block."""
        block = Stats()
        self._here.blocks = (*getattr(self._here, "blocks", ()), block)
        try:
            yield block
        finally:
            # by identity: two blocks may have counted the same
            self._here.blocks = tuple(other for other in self._here.blocks if other is not block)

    def handed_over(self) -> Callable[[], None]:
        """Return what has the calls of the thread that calls it measured with those of this one."""
        here = getattr(self._here, "blocks", ())
        return lambda: setattr(self._here, "blocks", here)


def _parts(timing: str) -> Iterator[tuple[str, float]]:
    """Yield names and seconds of what ``Server-Timing`` says, as our server writes it: ``total;dur=1.5, …``, milliseconds."""
    for text in timing.split(","):
        part, _, milliseconds = text.partition(";dur=")
        try:
            yield part.strip(), float(milliseconds) / 1000
        except ValueError:  # it has none, or what it has is no number
            continue
