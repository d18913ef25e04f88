"""
Appends to open chunks, held back while a transaction runs and written together at its end.

A transaction carries many writes, and most of these just add a point to the last chunk of a stream. They are cheap because one
statement does it for all of them, instead of five statements for each: every statement releases the interpreter, and getting
it back takes longer than the statement itself. Where the last chunks end is remembered from one transaction to the next, as
nobody else writes to the file.

Each write still happens completely or not at all. If it fails, what it has appended is dropped. And before it does anything else
than appending, a savepoint is made, to which it is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...runtime.sqlite import Connection

#: Bits of a chunk's key that hold the index of its first point: enough for a thousand points a second for eight years. The other
#: 25 of SQLite's 63 bits hold the number of the series.
INDEX_BITS = 38
MOST_POINTS = 1 << INDEX_BITS
MOST_SERIES = 1 << (63 - INDEX_BITS)

#: The most series whose last chunks are remembered.
_MOST = 4096

_ONE = "UPDATE chunks SET number = number + ?2, last_time = ?3, data = CAST(data || ?4 AS BLOB) WHERE id = ?1"
_MANY = (
    "UPDATE chunks SET number = number + new.column2, last_time = new.column3, data = CAST(data || new.column4 AS BLOB)"
    " FROM (VALUES {}) AS new WHERE id = new.column1"
)

#: Called with the error if an append could not be written.
Fail = Callable[[BaseException], None]


class Tail(NamedTuple):
    """The last chunk, without its text; `size` is the text's length, `before` that of all chunks before it."""

    id: int
    number: int
    last_time: float
    before: int
    size: int

    @property
    def length(self) -> int:
        """How many points the series has."""
        return (self.id & (MOST_POINTS - 1)) + self.number


class _Append(NamedTuple):
    """Points to append to a chunk."""

    id: int
    number: int
    last_time: float
    text: bytes


class Appends:
    """
    What is to be appended in the transaction that runs on *connection*, and where the last chunks end.

    In a transaction, each write is followed by `finish` or `undo`; then come `flush`, the commit, and `end`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tails: dict[int, Tail] = {}
        #: What the current write has appended, and whether there is a savepoint for it.
        self._own: list[_Append] = []
        self._marked = False
        #: What earlier writes have appended that did nothing else, each with the function to call if that fails.
        self._waiting: list[tuple[list[_Append], Fail]] = []

    def tail(self, number: int) -> Tail | None:
        """Return the last chunk of a series as it will be after these appends, if it is known."""
        return self._tails.get(number)

    def know(self, number: int, tail: Tail) -> None:
        """Remember the last chunk of a series, as it is in the file."""
        self._tails[number] = tail

    def forget(self, number: int) -> None:
        """Forget the last chunk of a series, as its chunks are about to be changed in another way."""
        self._tails.pop(number, None)

    def add(self, series: int, tail: Tail, number: int, last_time: float, text: bytes) -> None:
        """Append points to the last chunk of a series, which is *tail* and has room for them."""
        text = b"," + text
        self._own.append(_Append(tail.id, number, last_time, text))
        self._tails[series] = Tail(tail.id, tail.number + number, last_time, tail.before, tail.size + len(text))

    def settle(self) -> None:
        """Write everything to the file, with a savepoint, so that the current write can read chunks or change anything."""
        if not self._marked:
            lost = self.flush()
            for append in self._own:
                if append.id in lost:
                    raise lost[append.id]
            self._connection.execute("SAVEPOINT job")
            self._marked = True
        for append in self._own:
            self._write([append])
        self._own.clear()

    def finish(self, fail: Fail) -> None:
        """End a write that succeeded; *fail* is called if what it appended cannot be written later."""
        if self._marked:
            self.settle()
            self._connection.execute("RELEASE job")
            self._marked = False
        else:
            if self._own:
                self._waiting.append((self._own, fail))
                self._own = []

    def undo(self) -> None:
        """End a write that failed, so that nothing of it remains."""
        if self._marked:
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            self._marked = False
        elif not self._own:
            return
        self._own.clear()
        self.flush()
        self._tails.clear()

    def flush(self) -> Mapping[int, Exception]:
        """
        Write what all finished writes have appended. If one of them cannot be written, the others still are.

        Returns:
            The chunks to which nothing more can be appended, because an append before is missing, each with the reason.
        """
        waiting, self._waiting = self._waiting, []
        lost: dict[int, Exception] = {}
        if not waiting:
            return lost
        try:
            self._write([append for appends, _ in waiting for append in appends])
        except Exception:
            if not self._connection.in_transaction:
                raise  # something like a full disk has ended the whole transaction
            for appends, fail in waiting:
                error = self._failure(appends, lost)
                if error is not None:
                    fail(error)
                    lost |= {append.id: error for append in appends}
                    self._tails.clear()
        return lost

    def _failure(self, appends: list[_Append], lost: Mapping[int, Exception]) -> Exception | None:
        """Write what one write has appended; return the error if that is not possible."""
        for append in appends:
            if append.id in lost:
                return lost[append.id]  # its points would not have the indices that its caller was told
        try:
            self._write(appends)
        except Exception as error:
            if not self._connection.in_transaction:
                raise
            return error
        return None

    def end(self, *, committed: bool) -> None:
        """End the transaction."""
        self._own.clear()
        self._waiting.clear()
        self._marked = False
        if not committed or len(self._tails) > _MOST:
            self._tails.clear()

    def _write(self, appends: list[_Append]) -> None:
        """Write all of them or, raising an error, none. It takes a single statement."""
        merged: dict[int, list[_Append]] = {}
        for append in appends:
            merged.setdefault(append.id, []).append(append)
        values: list[int | float | bytes] = []
        for id, parts in merged.items():
            text = b"".join([part.text for part in parts])
            values += (id, sum(part.number for part in parts), parts[-1].last_time, text)
        if len(merged) == 1:
            self._connection.execute(_ONE, values)
        else:
            self._connection.execute(_MANY.format(", ".join(["(?, ?, ?, ?)"] * len(merged))), values)
