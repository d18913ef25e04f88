"""What became of the points, as a Logger's users see it: how many wait, what was set aside, what was given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from ..exceptions import LocalProtocolError
from ..runtime.clock import Clock
from .file import Turn, span
from .rows import Store
from .sync import LOCK_WAIT, Stream, value

#: Points that are in memory at once.
_AT_ONCE = 1000

#: Is called with points that were set aside, as `Accounting.rejected` shows them.
OnReject = Callable[[list[dict[str, Any]]], object]


class Accounting:
    """What a Logger says of its points, and does about those that were set aside; its parent class."""

    def __init__(
        self,
        store: Store,
        find: Callable[[str], Stream],
        onreject: OnReject | None,
        turn: Callable[[], Turn],
        clock: Clock,
    ) -> None:
        """Take *find*, which returns the stream of a name, or raises, and *turn*, which returns that of this process."""
        self.onreject = onreject
        self.__turn, self.__clock = turn, clock
        self.__store = store
        self.__find = find
        store.aside.listener = self.__rejected

    def __len__(self) -> int:
        """Return how many points wait to be sent."""
        return self.__store.points.waiting()

    def __bool__(self) -> bool:
        """Return ``True``: a Logger with nothing waiting is a Logger all the same."""
        return True

    def cleardata(self) -> None:
        """Drop every point that waits to be sent."""
        self.__store.notes.clear()

    def waiting(self, stream: str | None = None) -> Iterator[dict[str, Any]]:
        """
        Yield the points that wait, stream by stream, oldest first, with ``stream``, ``t`` and ``d``: all, or those of *stream*.

        What is sent or dropped meanwhile may be left out; at most a thousand points are in memory.
        """
        given = self.__known(stream)
        for row in self.__store.catalogue.streams():
            if given in (None, row.name):
                first, last = self.__store.held.first_waiting(row.id), span(row.id)[1]
                while points := self.__store.points.rows(first, last, _AT_ONCE, 1 << 24):
                    yield from ({"stream": row.name, "t": point.t, "d": value(point)} for point in points)
                    first = points[-1].id + 1

    def rejected(self, stream: str | None = None) -> list[dict[str, Any]]:
        """
        Return the points that were set aside, oldest first: all, or those of *stream*.

        Each has ``id``, ``stream``, ``t``, ``d``, ``reason``, and ``at``: when it was set aside.
        """
        return [asdict(point) for point in self.__store.aside.points(stream=self.__known(stream))]

    def retry_rejected(
        self, ids: int | Iterable[int] | None = None, *, stream: str | None = None, restamp: bool = False
    ) -> int:
        """
        Have points that were set aside wait again, and return how many: all, or those with *ids*, or of *stream*.

        A server refuses points that are older than what was sent before, so these need another time.

        Args:
            ids: As `rejected` shows them.
            stream: Its name.
            restamp: Give points that are older than what was sent the earliest times allowed.

        Raises:
            LoggerError: There is none with one of the ids, or one is older than what was sent (*restamp*), or is no JSON;
                all of them stay set aside.
        """
        return self.__store.aside.retry(_ids(ids), self.__known(stream), restamp)

    def drop_rejected(self, ids: int | Iterable[int] | None = None, *, stream: str | None = None) -> int:
        """
        Drop points that were set aside, and return how many: all, or those with *ids*, or of *stream*.

        Raises:
            LoggerError: There is none with one of the ids; none is dropped.
        """
        return self.__store.aside.drop(_ids(ids), self.__known(stream))

    def set_aside_unsettled(self, stream: str | None = None) -> int:
        """
        Set points aside that may have arrived at a server which will never be there again, and return how many.

        A batch without an answer is settled where it was sent, wherever `serverurl` points to by now, and its stream waits
        until that can be. If it never can, this ends the waiting: for all streams, or for *stream*. `retry_rejected` sends
        such points again, and then they may be there twice.

        Raises:
            LoggerError: Somebody syncs the file, and does not end soon.
        """
        given, count = self.__known(stream), 0
        with self.__turn().taken(LOCK_WAIT):
            for row in self.__store.catalogue.streams():
                note = self.__store.notes.of(row.id) if given in (None, row.name) else None
                while note is not None:
                    rows = self.__store.points.rows(note.first, note.last, _AT_ONCE, 1 << 24)
                    if not rows:
                        self.__store.notes.resolve(row.id)
                        break
                    ids = [point.id for point in rows]
                    note = replace(note, first=ids[-1] + 1)
                    reason = f"outcome unknown: it was sent to {note.server or 'a server'}, which was given up"
                    self.__store.notes.resolve(row.id, (), ids, reason, self.__clock.wall(), note)
                    self.__store.aside.tell(ids)
                    count += len(ids)
        return count

    def __rejected(self, ids: Iterable[int]) -> None:
        points = [] if self.onreject is None else self.__store.aside.points(ids)
        if self.onreject is not None and points:
            self.onreject([asdict(point) for point in points])

    def __known(self, name: str | None) -> str | None:
        return None if name is None else self.__find(name).row.name


def _ids(given: int | Iterable[int] | None) -> list[int] | None:
    ids = [given] if isinstance(given, int) else None if given is None else list(given)
    for id in ids or ():
        if isinstance(id, bool) or not isinstance(id, int):
            raise LocalProtocolError(f"{id!r:.80} is no id of a point: expected what rejected() shows as 'id'")
    return ids
