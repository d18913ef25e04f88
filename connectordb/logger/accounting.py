"""What became of a Logger's points, for its users: which wait, which were set aside, and what to do about those."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from ..exceptions import LocalProtocolError
from ..runtime.clock import Clock
from .file import Turn, span
from .rows import Store
from .sync import LOCK_WAIT, Stream, value

#: How many points are read into memory at once.
_AT_ONCE = 1000

#: Bytes of these points' values, more or less: a thousand values may be large.
_AT_ONCE_BYTES = 1 << 24

#: Called with points that were set aside, as `Accounting.rejected` shows them.
OnReject = Callable[[list[dict[str, Any]]], object]


class Accounting:
    """
    What a Logger tells of its points, and does about those that were set aside: one of its parent classes.

    Args:
        store: The file.
        find: Returns the stream with a name, or raises.
        onreject: As `onreject` of the Logger.
        turn: Returns the Logger's present turn at syncing the file: a fork replaces it.
        clock: The clocks.
    """

    def __init__(
        self,
        store: Store,
        find: Callable[[str], Stream],
        onreject: OnReject | None,
        turn: Callable[[], Turn],
        clock: Clock,
    ) -> None:
        self.onreject = onreject
        self.__turn, self.__clock = turn, clock
        self.__store = store
        self.__find = find
        store.aside.listener = self.__rejected

    def __len__(self) -> int:
        """Return how many points wait."""
        return self.__store.points.waiting()

    def __bool__(self) -> bool:
        """Return ``True``: without this, ``__len__`` would make a Logger false whenever nothing waits."""
        return True

    def cleardata(self) -> None:
        """Drop every point that waits to be sent."""
        self.__store.notes.clear()

    def waiting(self, stream: str | None = None) -> Iterator[dict[str, Any]]:
        """
        Yield the points that wait, stream by stream, oldest first, with ``stream``, ``t`` and ``d``: all, or those of *stream*.

        Points that are sent or dropped meanwhile may be left out. At most a thousand points are in memory at once.
        """
        given = self.__known(stream)
        for row in self.__store.catalogue.streams():
            if given in (None, row.name):
                first, last = self.__store.held.first_waiting(row.id), span(row.id)[1]
                while points := self.__store.points.rows(first, last, _AT_ONCE, _AT_ONCE_BYTES):
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
        Make points that were set aside wait again, and return how many: all, or those with *ids*, or of *stream*.

        A server refuses points that are older than what was sent before, so those need *restamp*.

        Args:
            ids: As `rejected` shows them.
            stream: The name of a stream.
            restamp: Give points that are older than what was sent the earliest times that can be stored.

        Raises:
            LoggerError: An id is not that of a point set aside; or a point is older than what was sent, without *restamp*; or
                its value is not JSON. All of them stay set aside.
        """
        return self.__store.aside.retry(_ids(ids), self.__known(stream), restamp)

    def drop_rejected(self, ids: int | Iterable[int] | None = None, *, stream: str | None = None) -> int:
        """
        Drop points that were set aside, and return how many: all, or those with *ids*, or of *stream*.

        Raises:
            LoggerError: An id is not that of a point set aside; nothing is dropped.
        """
        return self.__store.aside.drop(_ids(ids), self.__known(stream))

    def set_aside_unsettled(self, stream: str | None = None) -> int:
        """
        Set aside points that may have arrived at a server which is gone for good, and return how many.

        When a batch got no answer, the Logger asks the server that it was sent to what became of it, even if `serverurl` has been
        changed since; until that server answers, the stream waits. If it never will, this ends the waiting: for all streams, or
        for *stream*. `retry_rejected` sends such points again, and then the server may have them twice.

        Raises:
            LoggerError: The file is being synced, and that does not end soon.
        """
        given, count = self.__known(stream), 0
        with self.__turn().taken(LOCK_WAIT):
            for row in self.__store.catalogue.streams():
                if given in (None, row.name):
                    count += self.__set_note_aside(row.id)
        return count

    def __set_note_aside(self, stream: int) -> int:
        """Set aside the points in the note of a stream, some at a time, and drop the note; return how many."""
        note = self.__store.notes.of(stream)
        if note is None:
            return 0
        reason, count = f"outcome unknown: it was sent to {note.server or 'a server'}, which was given up", 0
        while rows := self.__store.points.rows(note.first, note.last, _AT_ONCE, _AT_ONCE_BYTES):
            ids = [point.id for point in rows]
            note = replace(note, first=ids[-1] + 1)
            self.__store.notes.resolve(note.stream, (), ids, reason, self.__clock.wall(), note)
            self.__store.aside.tell(ids)
            count += len(ids)
        self.__store.notes.resolve(note.stream)
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
