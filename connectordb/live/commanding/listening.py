"""How a commander hears what happens on other threads, and waits for it on its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ...exceptions import ClosedError, ConnectorDBError
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...runtime.clock import AT_A_TIME
from ..live import Live
from ..options import Options, State
from ..watching import Subscription


class Ear:
    """Collects what other threads say, for one thread that waits."""

    def __init__(self) -> None:
        # guards the one below
        self._changed = threading.Condition(threading.Lock())
        self._heard: list[Callable[[], None]] = []
        #: Why it is doubtful that anything will be heard; ``None`` if it is not.
        self.trouble: str | None = None

    def hear(self, take_in: Callable[[], None]) -> None:
        """Call *take_in* on the thread that waits; what it raises is raised there."""
        with self._changed:
            self._heard.append(take_in)
            self._changed.notify()

    def wait(self, seconds: float) -> None:
        """Wait until something was said, *seconds* at most or somewhat less, and take it in."""
        with self._changed:
            if not self._heard:
                self._changed.wait(min(seconds, AT_A_TIME))
            heard, self._heard = self._heard, []
        for take_in in heard:
            take_in()


class Listening:
    """
    Lets an ear hear the points of one stream.

    The subscription is begun on another thread. Ctrl-C may interrupt the commander anywhere, even when the subscription exists and
    nobody knows of it yet; the other thread is not interrupted, and ends a subscription that is no longer wanted.

    Args:
        live: The subscriptions of the caller.
        path: The stream.
        since: The index from which on; ``None`` for what comes once the server tells of the stream.
        ear: Hears points, and troubles; it raises `ClosedError` if the subscriptions are closed meanwhile.
        told: Called with points, on the thread that waits.
    """

    def __init__(
        self, live: Live, path: Path, since: int | None, ear: Ear, told: Callable[[Sequence[Datapoint]], None]
    ) -> None:
        self._live, self._path, self._since, self._ear, self._told = live, path, since, ear, told
        self._lane = live.own_lane()
        # guards the two below
        self._lock = threading.Lock()
        self._subscription: Subscription | None = None
        self._is_wanted = True
        #: For an ephemeral stream: whether the server tells of it by now.
        self.is_live = False

    def start(self) -> None:
        """Begin to listen; do not wait until the subscription has begun."""
        self._lane.put(self._subscribe)

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            self._is_wanted = False
            subscription = self._subscription
        if subscription is not None:
            subscription.close()

    def _subscribe(self) -> None:
        options = Options(
            since=self._since,
            private=True,
            on_state=self._comes_to,
            on_gone=self._is_in_trouble,
            on_error=self._is_in_trouble,
        )
        with self._lock:
            if not self._is_wanted:
                return
        # what is not stored cannot be fetched later
        wait = self._since is None
        try:
            subscription = self._live.subscribe(self._path, self._came, options=options, add=True, wait=wait)
        except ConnectorDBError as error:
            self._ear.hear(_raising(error))
            return
        with self._lock:
            self._subscription = subscription
            is_wanted = self._is_wanted
        if not is_wanted:
            subscription.close()
        elif subscription.state == "closed":
            self._has_closed()
        elif wait:
            self._ear.hear(self._begins)
        else:
            # the commander has just reached the server, so there is no point in a pause after failures
            self._live.hurry()

    def _begins(self) -> None:
        self.is_live = True

    # --- on the subscription's lane -----------------------------------------------------------------------------------

    def _came(self, path: str, points: Sequence[Datapoint]) -> None:
        self._ear.hear(lambda: self._told(points))

    def _comes_to(self, state: State) -> None:
        if (
            state == "closed" and self._subscription is not None
        ):  # otherwise it has failed, which is told with its reason
            self._has_closed()
        elif state == "live":
            self._ear.trouble = None

    def _has_closed(self) -> None:
        self._ear.hear(_raising(ClosedError(f"closed while waiting for an answer at {str(self._path)!r}")))

    def _is_in_trouble(self, what: object) -> None:
        self._ear.trouble = f"{str(self._path)!r} could not be watched: {what}"


def _raising(error: ConnectorDBError) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail
