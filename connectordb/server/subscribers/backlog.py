"""Inserts that wait to be computed for the subscriptions of one connection; pure."""

from __future__ import annotations

from collections import Counter

from .news import News


class Backlog:
    """
    How much waits. An insert counts once, however many subscriptions it waits for.

    Args:
        size: Bytes of text that may wait; one insert alone may be larger.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: Counter[News] = Counter()
        self.bytes = 0

    def hold(self, news: News) -> bool:
        """Take note that an insert waits for one more; tell whether there is room for it."""
        if news not in self._waiting:
            if self._waiting and self.bytes + news.size > self._size:
                return False
            self.bytes += news.size
        self._waiting[news] += 1
        return True

    def release(self, news: News) -> None:
        """Take note that it waits for one less."""
        self._waiting[news] -= 1
        if not self._waiting[news]:
            del self._waiting[news]
            self.bytes -= news.size
