"""
Telling subscribers: what was inserted, what was removed, and that they should look again at what they may read.

Called with each committed change, in order. Changes of fields and rights are not traced to those whom they concern one by
one: whoever subscribed at or below what was changed, or is it, looks again, soon and once for many changes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from ...protocol.feed import EndReason
from ..handlers import Reply
from .hub import Hub, is_below
from .news import News

log = logging.getLogger(__name__)

#: Seconds in which changes gather before anybody looks again.
_GATHERING = 0.05


class Listener(Protocol):
    """Somebody who subscribed to something."""

    @property
    def own_path(self) -> str:
        """The path of the device on whose behalf."""

    def tell(self, news: News) -> None:
        """Tell of an insert at a path that is subscribed to."""

    def end(self, path: str, reason: EndReason) -> None:
        """Tell that what was subscribed to at *path* is not there any more."""

    async def look_again(self) -> None:
        """Find out what may not be read any more."""


class Teller:
    """
    Tells listeners. Made and used on the event loop's thread only, but for `look_again_soon`.

    Attributes:
        hub: Who wants to be told of what.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.hub: Hub[Listener] = Hub()
        self._changed: set[str] = set()
        self._looking: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Tell of no more changes."""
        if self._looking is not None:
            self._looking.cancel()

    def settle(self, reply: Reply) -> None:
        """Tell whatever follows from a committed change."""
        for removed in reply.removed:
            for listener, path in self.hub.below(removed.path):
                listener.end(path, removed.reason)
        for published in reply.published:
            listeners = self.hub.subscribers(published.path)
            if listeners:
                news = News(published)
                for listener in listeners:
                    listener.tell(news)
        if reply.changed:
            self.look_again(reply.changed)

    def look_again(self, path: str = "") -> None:
        """Have everybody whom a change at *path* may concern look again soon; without one, all."""
        self._changed.add(path)
        if self._looking is None:
            self._looking = self._loop.create_task(self._look_again())

    def look_again_soon(self) -> None:
        """Have all look again, as `look_again`; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.look_again)

    async def _look_again(self) -> None:
        try:
            while self._changed:
                await asyncio.sleep(_GATHERING)
                changed, self._changed = self._changed, set()
                # one after the other: there may be many, and others have to read, too
                for listener in self.hub:
                    concerned = (listener.own_path, *self.hub.paths(listener))
                    if any(is_below(path, at) for path in concerned for at in changed):
                        await listener.look_again()
        except Exception:
            log.exception("subscribers could not look again at what they may read; they will at the next ping")
        finally:
            self._looking = None
