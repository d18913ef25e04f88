"""
One subscription that was made with an id: what it has been told, and what it is to be told next; pure.

From its first index on it is told every point in order, once, or that there is a gap and where. Whether there is room for
another message is for others to say: without it nothing is kept but how far the stream has come.
"""

from __future__ import annotations

from ...protocol.feed import Gap, Lost
from .news import News, frame


class Following:
    """
    A subscription to a path.

    Args:
        path: Of a stream or downlink.
        start: The index of the first point that is to be told.
    """

    __slots__ = ("_after", "_lost", "_next", "path")

    def __init__(self, path: str, start: int) -> None:
        self.path = path
        #: The index of the first point that has been neither told nor been said to be missing, and behind the last there is.
        self._next = start
        self._after = start
        #: Points that were neither told nor stored.
        self._lost = 0

    @property
    def behind(self) -> bool:
        """Whether it has missed something and does not know."""
        return self._next < self._after or self._lost > 0

    def follows(self, news: News) -> bool:
        """Tell whether an insert comes right behind what there was, as all do unless points were removed."""
        return news.first is None or news.first == self._after

    def told(self, news: News, room: bool) -> bytes | None:
        """
        Take note of an insert.

        Args:
            news: What was inserted.
            room: Whether there is room for a message.

        Returns:
            The frame to be sent; `None` if there is no room, or if something else must be said first (`catch_up`).
        """
        if news.first is None:
            if room and not self.behind:
                return news.indexed
            self._lost += news.number
            return None
        assert self.follows(news)
        in_turn = room and not self.behind
        self._after += news.number
        if not in_turn:
            return None
        self._next = self._after
        return news.indexed

    def catch_up(self) -> list[bytes]:
        """Return the frames that say what was missed; it is not behind any more."""
        said: list[Gap | Lost] = []
        if self._next < self._after:
            said.append(Gap(self.path, self._next, self._after))
        if self._lost:
            said.append(Lost(self.path, self._lost))
        self._next, self._lost = self._after, 0
        return [frame(notice.encode() + b"\n") for notice in said]
