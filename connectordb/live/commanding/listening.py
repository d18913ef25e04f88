"""What a commander hears, on other threads, and how his own waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ..live import Live
from ..subscription import Subscription


class Ear:
    """Collects what is said, for one thread that waits."""

    def __init__(self) -> None:
        # guards the two below
        self._changed = threading.Condition(threading.Lock())
        self._heard: list[Callable[[], None]] = []
        #: What makes it doubtful that anything will be heard.
        self.trouble: str | None = None

    def hear(self, take_in: Callable[[], None]) -> None:
        """Have *take_in* called by the thread that waits."""
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


def listen(live: Live, path: Path, since: int, ear: Ear, told: Callable[[Sequence[Datapoint]], None]) -> Subscription:
    """Have *ear* hear the points of the stream at *path* from the index *since* on; of one that is not stored, from now on."""

    def came(path: str, points: Sequence[Datapoint]) -> None:
        ear.hear(lambda: told(points))

    return live.subscribe(path, came, add=True)
