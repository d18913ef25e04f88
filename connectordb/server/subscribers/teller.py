"""
Telling subscribers what was inserted, what was removed, and that they should check again what they may read.

It is called with each committed change, in order. When fields or permissions change, it is not worked out exactly who is
affected: every subscriber that is at or below the changed path, or has subscribed there, checks again, soon after and once for
many changes.
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

#: Seconds during which changes are gathered before subscribers check again.
_GATHERING = 0.05


class Listener(Protocol):
    """A subscriber."""

    @property
    def own_path(self) -> str:
        """The path of the device that has subscribed."""

    def tell(self, news: News) -> None:
        """Tell it of an insert at a path that it has subscribed to."""

    def end(self, path: str, reason: EndReason) -> None:
        """Tell it that what it has subscribed to at *path* was removed."""

    async def look_again(self) -> None:
        """Let it check what it may still read."""


class Teller:
    """
    Tells listeners. Made and used on the event loop's thread only, except for `look_again_soon`.

    Attributes:
        hub: Who has subscribed to what.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.hub: Hub[Listener] = Hub()
        self._changed: set[str] = set()
        self._looking: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Let nobody check again any more."""
        if self._looking is not None:
            self._looking.cancel()

    def settle(self, reply: Reply) -> None:
        """Tell all listeners concerned about a committed change."""
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
        """Let every listener that a change at *path* may concern check again soon; without a path, all of them."""
        self._changed.add(path)
        if self._looking is None:
            self._looking = self._loop.create_task(self._look_again())

    def look_again_soon(self) -> None:
        """Let all listeners check again soon. May be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.look_again)

    async def _look_again(self) -> None:
        try:
            while self._changed:
                await asyncio.sleep(_GATHERING)
                changed, self._changed = self._changed, set()
                # one after the other: there may be many, and each makes the storage read
                for listener in self.hub:
                    concerned = (listener.own_path, *self.hub.paths(listener))
                    if any(is_below(path, at) for path in concerned for at in changed):
                        await listener.look_again()
        except Exception:
            log.exception("subscribers could not look again at what they may read; they will at the next ping")
        finally:
            self._looking = None
