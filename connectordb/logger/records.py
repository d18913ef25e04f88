"""What is in the cache file, as values: rows, notes, streams, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import Any, NamedTuple, overload


class Columns(Sequence[tuple[float, str]]):
    """
    Points with times of the user's, in the order of those: many at once go faster as two lists than as many pairs.

    Attributes:
        times: When.
        texts: The values, as JSON text.
        rises: Whether each time is later than the one before.
    """

    __slots__ = ("rises", "texts", "times")

    def __init__(self, times: list[float], texts: list[str]) -> None:
        self.times, self.texts = times, texts
        self.rises = all(map(lt, times, islice(times, 1, None)))
        if not self.rises:
            order = sorted(range(len(times)), key=times.__getitem__)  # those with equal times stay in theirs
            self.times, self.texts = [times[at] for at in order], [texts[at] for at in order]

    @classmethod
    def of(cls, points: Sequence[tuple[float, str]]) -> Columns:
        """Return *points* this way, which may be so already."""
        return points if isinstance(points, cls) else cls([t for t, _ in points], [text for _, text in points])

    @overload
    def __getitem__(self, at: int) -> tuple[float, str]: ...
    @overload
    def __getitem__(self, at: slice) -> Columns: ...
    def __getitem__(self, at: int | slice) -> tuple[float, str] | Columns:
        """Return a point, or some."""
        if isinstance(at, slice):
            return Columns(self.times[at], self.texts[at])
        return self.times[at], self.texts[at]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.times)


class Row(NamedTuple):
    """A point that waits: its id, its time, its value as JSON text."""

    id: int
    t: float
    d: str


@dataclass(frozen=True, slots=True)
class StreamRow:
    """
    A stream as the file has it.

    Attributes:
        declared: The server has yet to be asked for it.
        strict: If that has another schema, it is an error; otherwise that one is taken over.
    """

    id: int
    name: str
    schema: str
    properties: Mapping[str, Any]
    declared: bool
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """
    What may have been sent: a stream's rows from *first* to *last*, and what there was on the server before.

    Attributes:
        length: The stream's length there, ``None`` if it is not known.
        before: The time of the point before that length.
        attempts: Outcomes that were unknown.
        key: The name under which the server knows the batch, if it knows such names.
    """

    stream: int
    first: int
    last: int
    server: str
    apikey: str
    path: str
    length: int | None
    before: float | None
    attempts: int = 0
    key: str | None = None


class Coming(NamedTuple):
    """
    A batch that is to be noted: the first rows in the span of a note, as many as may be.

    Attributes:
        note: What is noted of them; its last row is that of the span.
        rows: How many at most.
        size: Bytes at most, more or less.
        at_least: So many rows, whatever their size.
    """

    note: Note
    rows: int
    size: int
    at_least: int = 1


class Held(NamedTuple):
    """
    A batch that a server confirmed, and may forget if it loses its last second; as `Note`.

    Attributes:
        version: The stream's when it was confirmed: the same rows may be lost, and confirmed once more.
    """

    stream: int
    first: int
    last: int
    server: str
    apikey: str
    path: str
    length: int
    before: float | None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of a stream's points: accepted = waiting + confirmed + aside + dropped + lost."""

    name: str
    accepted: int
    waiting: int
    confirmed: int
    aside: int
    dropped: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A point set aside: the stream's name, the point, why and when."""

    id: int
    stream: str
    t: float
    d: Any
    reason: str
    at: float
