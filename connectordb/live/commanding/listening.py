"""What a commander hears, on other threads, and how his own waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ...exceptions import ClosedError
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ..live import Live
from ..options import Options, State
from ..subscription import Subscription


class Ear:
    """Collects what is said, for one thread that waits."""

    def __init__(self) -> None:
        # guards the one below
        self._changed = threading.Condition(threading.Lock())
        self._heard: list[Callable[[], None]] = []
        #: What makes it doubtful that anything will be heard.
        self.trouble: str | None = None

    def hear(self, take_in: Callable[[], None]) -> None:
        """Have *take_in* called by the thread that waits; what it raises is raised there."""
        with self._changed:
            self._heard.append(take_in)
            self._changed.notify()

    def wait(self, seconds: float) -> None:
        """Wait until something was said, *seconds* at most, and take it in."""
        with self._changed:
            if not self._heard:
                self._changed.wait(seconds)
            heard, self._heard = self._heard, []
        for take_in in heard:
            take_in()


def listen(
    live: Live, path: Path, since: int | None, ear: Ear, told: Callable[[Sequence[Datapoint]], None]
) -> Subscription:
    """
    Have *ear* hear the points of the stream at *path*, without waiting until the server tells of them.

    Args:
        live: The subscriptions of the caller.
        path: The stream.
        since: From which index on; ``None``: from when the server tells of them.
        ear: Hears, also of what keeps it from hearing; it raises `ClosedError` where the subscriptions end meanwhile.
        told: Called by who waits, with points.
    """

    def came(path: str, points: Sequence[Datapoint]) -> None:
        ear.hear(lambda: told(points))

    def comes_to(state: State) -> None:
        if state == "closed":
            ear.hear(closed)
        elif state == "live":
            ear.trouble = None

    def closed() -> None:
        raise ClosedError(f"closed while waiting for an answer at {str(path)!r}")

    def trouble(what: object) -> None:
        ear.trouble = f"{str(path)!r} could not be watched: {what}"

    options = Options(since=since, private=True, on_state=comes_to, on_gone=trouble, on_error=trouble)
    subscription = live.subscribe(path, came, options=options, add=True, wait=False)
    # who commands knows that the server is there, whatever a pause after failures is for
    live.hurry()
    return subscription
