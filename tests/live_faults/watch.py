"""A subscriber, and all that it was told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from connectordb import ConnectionFailed, ConnectorDB, ConnectorDBError, ServerError, Stream
from connectordb.live import Subscription

from .check import Point

#: What a subscription says of itself. `state` and the others are looked at when all has come.
_SAYS = ("delivered", "missed", "lag", "last_index", "state")

#: How often a connection may be lost while somebody subscribes.
_TRIES = 3


class Raised(Exception):
    """What a callback raises that is to raise."""


class Watch:
    """
    A subscription and its record.

    Args:
        client: Whose it is.
        flow: The name of the stream.
        path: Its path.
        since: As of `Stream.subscribe`.
        wait: Whether to wait until the server has obeyed.
        options: More of its arguments.

    Attributes:
        first: What its first point's index has to be, at least and at most; ``None`` if there are no indices.
        settled: How much of `told` was found right.
        errors: What `on_error` was told.
        short: Of an ephemeral stream, how many points are known to be missing.
        before: Called by the callback with the number of its points, before anything else.
        subscription: What ends it.
    """

    def __init__(
        self, client: ConnectorDB, flow: str, path: str, since: Any = None, wait: bool = True, **options: Any
    ) -> None:
        self._stream: Stream = client(path)
        self._since = since
        self._options = options
        self.flow = flow
        self.name = f"{flow} from {since!r}"
        self.path = path
        self.settled = self.short = 0
        self.first: tuple[int, int] | None = None
        self.changed = threading.Condition(threading.Lock())
        # guarded by it
        self.told: list[Point] = []
        self.gone: list[tuple[int, str]] = []
        self.errors: list[Exception] = []
        self.wrong: list[str] = []
        self.calls = 0
        self.caught_up = 0
        self._counted = 0
        self.before: Callable[[Watch, int], object] | None = None
        self.after: Callable[[Watch, int], object] | None = None
        self._running = threading.Lock()
        self.subscription: Subscription
        self.begin(since, wait)

    def begin(self, since: Any, wait: bool = True) -> None:
        """Subscribe, or subscribe again; once more, as a program does, if an earlier fault was only felt now, on a busy machine."""
        with self.changed:
            self._counted = len(self.told)
        failed: ConnectorDBError
        for _ in range(_TRIES):
            try:
                self.subscription = self._subscribe(since, wait)
                return
            except (ConnectionFailed, ServerError) as error:
                failed = error
                with self.changed:  # the next one begins at the same place
                    del self.told[self._counted :]
        raise failed

    def _subscribe(self, since: Any, wait: bool) -> Subscription:
        return self._stream.subscribe(
            self._took,
            since=since,
            add=True,
            wait=wait,
            on_error=self._failed,
            on_gone=self._is_gone,
            **self._options,
        )

    def is_there(self) -> bool:
        """Tell whether there is a subscription."""
        return True

    @property
    def new(self) -> list[Point]:
        """What it was told that was not found right yet."""
        with self.changed:
            return self.told[self.settled :]

    @property
    def last(self) -> Point | None:
        """What it was told last."""
        with self.changed:
            return self.told[-1] if self.told else None

    def says(self) -> dict[str, Any]:
        """Return what the subscription says of itself."""
        return {what: getattr(self.subscription, what) for what in _SAYS}

    def handed_on(self) -> list[Point]:
        """Return what the subscription has handed on that is there now."""
        with self.changed:
            return self.told[self._counted :]

    def wait_until(self, condition: Callable[[], object], within: float) -> bool:
        """Wait until something is so of what it was told; tell whether it is."""
        with self.changed:
            return bool(self.changed.wait_for(condition, within))

    def close(self) -> None:
        """End it."""
        self.subscription.close()

    # --- what the subscription calls ------------------------------------------------------------------------------------

    def _took(self, path: str, batch: Any) -> None:
        if not self._running.acquire(blocking=False):
            self._is_wrong("two calls at a time")
            return
        try:
            if self.before is not None:
                self.before(self, len(batch))
            self._note(path, batch)
            if self.after is not None:
                self.after(self, len(batch))
        finally:
            self._running.release()

    def _note(self, path: str, batch: Any) -> None:
        index = batch.first_index
        if (
            index is None and "transform" in self._options
        ):  # what a script makes has no place; here it is one point of each
            index = self._since + len(self.told)
        points = [
            Point(None if index is None else index + number, point.get("t", 0.0), point["d"])
            for number, point in enumerate(batch)
        ]
        if path != self.path:
            self._is_wrong(f"called for {path!r}")
        if not points:
            self._is_wrong("a batch of nothing")
        device = self.path.rpartition("/")[0]
        if points and batch.sender(0) != device:
            self._is_wrong(f"the sender is {batch.sender(0)!r}, not {device!r}")
        with self.changed:
            self.calls += 1
            self.caught_up += len(points) if batch.caught_up else 0
            self.told += points
            self.changed.notify_all()

    def _is_gone(self, reason: str) -> None:
        with self.changed:
            self.gone.append((len(self.told), reason))
            self.changed.notify_all()

    def _failed(self, error: Exception) -> None:
        with self.changed:
            self.errors.append(error)
            self.changed.notify_all()

    def _is_wrong(self, what: str) -> None:
        with self.changed:
            self.wrong.append(f"{self.name}: {what}")
