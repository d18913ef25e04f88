"""
Running a script over a sequence whose points are still to come.

A script asks for its points, one after the other, and may look ahead; but the points of a stream come when they come. So the script
runs on a thread of its own, ``connectordb-transform``, and takes turns with us: its turn begins when points are pushed, and ends when
it asks for a point that has not come yet.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from ...protocol.points import Datapoint
from ...runtime.worker import Worker

Transform = Callable[[Iterable[Datapoint]], Iterator[Datapoint]]


class Pushed:
    """
    Runs a script over everything that is pushed. Only one thread at a time may use it, except for `close`.

    Args:
        transform: The script: a `connectordb.pipescript.Script`, for instance.
    """

    def __init__(self, transform: Transform) -> None:
        self._transform = transform
        self._run: _Run | None = None
        self._is_closed = False

    def push(self, points: Sequence[Datapoint]) -> list[Datapoint]:
        """
        Return what the script makes of these points, which follow those pushed before.

        Raises:
            Exception: What the script raises. It begins anew with the points that are pushed next.
        """
        run = self._run
        if run is None:
            run = self._run = _Run(self._transform)
        if self._is_closed:
            run.close()
            return []
        try:
            return run.push(points)
        except Exception:
            self._run = None
            raise

    def begin_anew(self) -> None:
        """Forget all points so far."""
        run, self._run = self._run, None
        if run is not None:
            run.close()

    def close(self) -> None:
        """End the thread. May be called twice, and while `push` runs: that returns then."""
        self._is_closed = True
        self.begin_anew()


class _Run:
    """One run of the script, on its thread."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform
        self._points: deque[Datapoint] = deque()
        self._made: list[Datapoint] = []
        self._error: Exception | None = None
        self._is_over = False
        self._is_closed = False
        # each side waits on its own while the other has its turn
        self._its_turn, self._our_turn = threading.Semaphore(0), threading.Semaphore(0)
        self._worker = Worker("transform", self._work)
        self._worker.start()

    def push(self, points: Sequence[Datapoint]) -> list[Datapoint]:
        if self._is_over:  # some scripts end before the points do
            return []
        self._points.extend(points)
        self._its_turn.release()
        self._our_turn.acquire()
        made, self._made = self._made, []
        if self._error is not None:
            raise self._error
        return made

    def close(self) -> None:
        self._is_closed = True
        self._its_turn.release()

    def _work(self, stopping: threading.Event) -> None:
        try:
            for point in self._transform(self._source()):
                self._made.append(point)
        except Exception as error:
            self._error = error
        finally:
            self._is_over = True
            self._our_turn.release()

    def _source(self) -> Iterator[Datapoint]:
        self._its_turn.acquire()
        while not self._is_closed:
            while self._points:
                yield self._points.popleft()
            self._our_turn.release()
            self._its_turn.acquire()
