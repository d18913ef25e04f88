"""Inserts that wait for the transforms of one connection's subscriptions. Pure."""

from __future__ import annotations

from collections import Counter

from .news import News


class Backlog:
    """
    Counts what waits. An insert counts once, however many transforms it waits for.

    Args:
        size: The most bytes of text that may wait; a single insert may be larger.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: Counter[News] = Counter()
        self.bytes = 0

    def hold(self, news: News) -> bool:
        """Note that an insert waits for one more transform, if there is room for it; return whether there is."""
        if news not in self._waiting:
            if self._waiting and self.bytes + news.size > self._size:
                return False
            self.bytes += news.size
        self._waiting[news] += 1
        return True

    def release(self, news: News) -> None:
        """Note that an insert waits for one transform less."""
        self._waiting[news] -= 1
        if not self._waiting[news]:
            del self._waiting[news]
            self.bytes -= news.size
