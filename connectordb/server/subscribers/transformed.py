"""One subscription with a transform: each insert computed on a thread for that, and told in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ...exceptions import ClosedError, PipeScriptError
from ...protocol.feed import EndReason, Lost
from ..handlers.sources import text_of
from ..refusal import Refusal
from .news import News, frame
from .teller import Listener

if TYPE_CHECKING:
    from ...pipescript import Script

log = logging.getLogger(__name__)

#: Inserts that wait to be computed for one subscription.
_MOST = 100


class Compute(Protocol):
    """Has a function done on a thread for what takes long."""

    async def __call__(self, work: Callable[[], bytes], /) -> bytes:
        """Return what it returned."""


class Subscriber(Protocol):
    """Whose subscription it is."""

    @property
    def own_path(self) -> str:
        """The path of the device on whose behalf."""

    def say(self, frame: bytes) -> bool:
        """Send a frame; tell whether there was room."""

    def drop(self) -> None:
        """Cut the connection of who does not read."""

    def end_transformed(self, which: Transformed, reason: EndReason) -> None:
        """Take note that a subscription has ended."""

    async def look_again(self) -> None:
        """Find out what may not be read any more."""


@dataclass(frozen=True, slots=True)
class Transform:
    """
    What a subscription does to points.

    Attributes:
        text: As it was asked for, by which it is unsubscribed, too.
        script: What runs it.
    """

    text: str
    script: Script


class Transformed(Listener):
    """
    A subscription with a transform. Used on the event loop's thread only.

    Args:
        path: Of the stream or downlink.
        transform: What is done to its points.
        subscriber: Whose it is.
        compute: Has a function done on a thread for what takes long.
        indexed: Whether it was made with an id: then it is told indices and stored times, and what it has missed.
    """

    def __init__(
        self, path: str, transform: Transform, subscriber: Subscriber, compute: Compute, *, indexed: bool
    ) -> None:
        self.path = path
        self.transform = transform
        self.indexed = indexed
        self._session = transform.script.session()
        self._subscriber = subscriber
        self._compute = compute
        self._waiting: deque[News] = deque()
        self._lost = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def own_path(self) -> str:
        """The path of the device on whose behalf."""
        return self._subscriber.own_path

    def close(self) -> None:
        """Compute nothing any more."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def tell(self, news: News) -> None:
        """Take an insert to be computed."""
        if len(self._waiting) >= _MOST:
            self._overflow(news)
            return
        self._waiting.append(news)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    def end(self, path: str, reason: EndReason) -> None:
        """Take note that the stream is not there any more."""
        self._subscriber.end_transformed(self, reason)

    async def look_again(self) -> None:
        """Find out what may not be read any more."""
        await self._subscriber.look_again()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._tell_next(self._waiting.popleft())
                self.refill()
        except ClosedError:
            pass  # the server stops
        finally:
            self._task = None

    async def _tell_next(self, news: News) -> None:
        try:
            data = await self._compute(partial(self._computed, news))
        except PipeScriptError as error:
            log.info("%s: %r on an insert into %s: %s", self.own_path, self.transform.text, self.path, error.reason)
            self._lost += news.number
            return
        except Refusal:  # too much is being computed
            self._overflow(news)
            return
        if data and not self._subscriber.say(news.told(data, self.transform.text, indexed=self.indexed)):
            self._overflow(news)

    def _computed(self, news: News) -> bytes:
        points = news.stored_points if self.indexed else news.points
        return b",".join([text_of(point) for point in self._session(points)])

    def _overflow(self, news: News) -> None:
        self._lost += news.number
        if not self.indexed:
            self._subscriber.drop()

    def refill(self) -> None:
        """Say what was missed, behind all that was not, if there is something and there is room."""
        if self._lost and self.indexed and not self._waiting:
            if self._subscriber.say(frame(Lost(self.path, self._lost, self.transform.text).encode() + b"\n")):
                self._lost = 0
