"""
One subscription that was made with an id: what it has been told, and what it is to be told next. Pure.

From its first index on it is told every point once and in order, or else where there is a gap. Whether there is room for another
message is said by the caller. While there is none, nothing is kept but how far the stream has come.
"""

from __future__ import annotations

from ...protocol.feed import Gap, Lost
from .news import News, frame


class Following:
    """
    A subscription to a path.

    Args:
        path: The path of a stream or downlink.
        start: The index of the first point that is to be told.
    """

    __slots__ = ("_after", "_lost", "_next", "path")

    def __init__(self, path: str, start: int) -> None:
        self.path = path
        #: The index of the first point that was neither told nor said to be missing; and the index after that of the last point.
        self._next = start
        self._after = start
        #: Points that were neither told nor stored.
        self._lost = 0

    @property
    def behind(self) -> bool:
        """Whether it has missed something that it was not told of yet."""
        return self._next < self._after or self._lost > 0

    def follows(self, news: News) -> bool:
        """Tell whether an insert comes right after what there was, as it always does unless points were removed."""
        return news.first is None or news.first == self._after

    def told(self, news: News, room: bool) -> bytes | None:
        """
        Note an insert.

        Args:
            news: What was inserted.
            room: Whether there is room for a message.

        Returns:
            The frame to send; `None` if there is no room, or if the subscriber must first be told what it has missed (`catch_up`).
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
        """Return the frames that say what was missed. After that, the subscription is no longer behind."""
        said: list[Gap | Lost] = []
        if self._next < self._after:
            said.append(Gap(self.path, self._next, self._after))
        if self._lost:
            said.append(Lost(self.path, self._lost))
        self._next, self._lost = self._after, 0
        return [frame(notice.encode() + b"\n") for notice in said]
