"""One subscription with a transform: each insert is computed on a thread for that, and the results are told in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...exceptions import ClosedError, PipeScriptError
from ...protocol.feed import EndReason, Lost
from ..handlers.effort import Effort, TooMuch
from ..handlers.sources import text_of
from ..refusal import Refusal
from .backlog import Backlog
from .news import News, frame
from .teller import Listener

if TYPE_CHECKING:
    from ...pipescript import Point, Script

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The most inserts that wait for one subscription's transform.
_MOST = 100

#: How many points go into the transform between two looks at the clock, at least.
_STRETCH = 100


class Compute(Protocol):
    """Runs a function on a thread for what takes long."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return what *work* returned."""


class Subscriber(Protocol):
    """The owner of a subscription."""

    @property
    def own_path(self) -> str:
        """The path of the device that has subscribed."""

    def say(self, frame: bytes) -> bool:
        """Send a frame; return whether there was room."""

    def drop(self) -> None:
        """Cut the connection, as its client does not read."""

    def end_transformed(self, which: Transformed, reason: EndReason) -> None:
        """End a subscription."""

    async def look_again(self) -> None:
        """Check what may still be read."""


@dataclass(frozen=True, slots=True)
class Transform:
    """
    The transform of a subscription.

    Attributes:
        text: The script as the client gave it, which also identifies the subscription.
        script: The script, compiled.
        effort: Limits what may go into each insert, and what may come out of it.
    """

    text: str
    script: Script
    effort: Effort


class Transformed(Listener):
    """
    A subscription with a transform. Used on the event loop's thread only.

    Args:
        path: The path of the stream or downlink.
        transform: The transform.
        subscriber: The owner of the subscription.
        compute: Runs a function on a thread for what takes long.
        backlog: Counts what waits for all subscriptions of the connection.
        indexed: Whether it was made with an id: then it is told indices and stored times, and what it has missed.
    """

    def __init__(
        self,
        path: str,
        transform: Transform,
        subscriber: Subscriber,
        compute: Compute,
        backlog: Backlog,
        *,
        indexed: bool,
    ) -> None:
        self.path = path
        self.transform = transform
        self.indexed = indexed
        self._session = transform.script.session()
        self._subscriber = subscriber
        self._compute = compute
        self._backlog = backlog
        self._waiting: deque[News] = deque()
        self._lost = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def own_path(self) -> str:
        """The path of the device that has subscribed."""
        return self._subscriber.own_path

    def close(self) -> None:
        """Stop computing, and drop what waits."""
        self._closed = True
        self.transform.effort.stop()
        while self._waiting:
            self._backlog.release(self._waiting.popleft())
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def tell(self, news: News) -> None:
        """Queue an insert for the transform."""
        if len(self._waiting) >= _MOST or not self._backlog.hold(news):
            self._overflow(news)
            return
        self._waiting.append(news)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    def end(self, path: str, reason: EndReason) -> None:
        """Note that the stream was removed."""
        self._subscriber.end_transformed(self, reason)

    async def look_again(self) -> None:
        """Check what may still be read."""
        await self._subscriber.look_again()

    async def _work(self) -> None:
        try:
            while self._waiting:
                news = self._waiting.popleft()
                try:
                    await self._tell_next(news)
                finally:
                    self._backlog.release(news)
                self.refill()
        except ClosedError:
            pass  # the server is stopping
        finally:
            self._task = None

    async def _tell_next(self, news: News) -> None:
        try:
            told = await self._compute(partial(self._computed, news))
        except PipeScriptError as error:
            # only at level debug, as the error quotes values, which should not be in a log
            log.debug(
                "%s: %.100r on an insert into %s: %s", self.own_path, self.transform.text, self.path, error.reason
            )
            self._lost += news.number
            return
        except TooMuch as error:
            log.info("%s: %.100r on %s ends: %s", self.own_path, self.transform.text, self.path, error)
            self._subscriber.end_transformed(self, "exceeded")
            return
        except Refusal:  # too much is being computed at once
            self._overflow(news)
            return
        except ClosedError:
            raise
        except Exception:  # all of them, as nothing above this would see it
            log.exception("%s: computing an insert into %s failed", self.own_path, self.path)
            self._lost += news.number
            return
        if told and not self._closed and not self._subscriber.say(told):
            self._overflow(news)

    def _computed(self, news: News) -> bytes:
        """Return the frame with what the transform makes of an insert; empty if it leaves no points."""
        effort = self.transform.effort
        effort.renew()
        texts: list[bytes] = []
        with effort.spent():
            points = news.stored_points if self.indexed else news.points
            for point in self._session(_watched(points, effort)):
                texts.append(text_of(point))
                effort.made(len(texts[-1]) + 1)
        return news.told(b",".join(texts), self.transform.text, indexed=self.indexed) if texts else b""

    def _overflow(self, news: News) -> None:
        self._lost += news.number
        if not self.indexed:
            self._subscriber.drop()

    def refill(self) -> None:
        """Tell the client what it has missed, if anything, once all inserts before that are told and there is room."""
        if self._lost and self.indexed and not self._waiting and not self._closed:
            if self._subscriber.say(frame(Lost(self.path, self._lost, self.transform.text).encode() + b"\n")):
                self._lost = 0


def _watched(points: Sequence[Point], effort: Effort) -> Iterator[Point]:
    """Yield points and look at the clock now and then, as the transform may drop most points without doing so itself."""

    def stretch(begin: int) -> Sequence[Point]:
        effort()
        return points[begin : begin + _STRETCH]

    return chain.from_iterable(map(stretch, range(0, len(points), _STRETCH)))
