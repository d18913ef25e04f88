"""What the cache file holds, as values: rows, notes, streams, and what became of points. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import Any, NamedTuple, overload


class Columns(Sequence[tuple[float, str]]):
    """
    Points with times that the user gave, ordered by these: two lists, as that is faster than many pairs.

    Attributes:
        times: The times.
        texts: The values, as JSON text.
        rises: Whether each given time was later than the one before.
    """

    __slots__ = ("rises", "texts", "times")

    def __init__(self, times: list[float], texts: list[str]) -> None:
        self.times, self.texts = times, texts
        self.rises = all(map(lt, times, islice(times, 1, None)))
        if not self.rises:
            order = sorted(range(len(times)), key=times.__getitem__)  # stable: points with equal times keep their order
            self.times, self.texts = [times[at] for at in order], [texts[at] for at in order]

    @classmethod
    def of(cls, points: Sequence[tuple[float, str]]) -> Columns:
        """Return *points* as columns; these themselves, if they are columns already."""
        return points if isinstance(points, cls) else cls([t for t, _ in points], [text for _, text in points])

    @overload
    def __getitem__(self, at: int) -> tuple[float, str]: ...
    @overload
    def __getitem__(self, at: slice) -> Columns: ...
    def __getitem__(self, at: int | slice) -> tuple[float, str] | Columns:
        """Return one point, or the columns of a slice."""
        if isinstance(at, slice):
            return Columns(self.times[at], self.texts[at])
        return self.times[at], self.texts[at]

    def __len__(self) -> int:
        """Return how many points there are."""
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
        declared: The server has not been asked for it yet.
        strict: If the server has another schema, that is an error; otherwise it is taken over.
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
    A batch that may have been sent: a stream's rows from *first* to *last*, and what the server had before them.

    Attributes:
        length: The stream's length on the server before the batch, ``None`` if it is not known.
        before: The time of the last point of that length, ``None`` if there was none.
        attempts: How many attempts had an unknown outcome.
        key: The idempotency key of the batch, if the server knows such keys.
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
    A batch that is about to be noted: rows from the beginning of a span, as many as the bounds allow.

    Attributes:
        note: The note to be written; its *first* and *last* are the span, until it is known which rows fit.
        rows: At most this many rows.
        size: At most this many bytes, more or less.
        at_least: This many rows, whatever their size.
    """

    note: Note
    rows: int
    size: int
    at_least: int = 1


class Held(NamedTuple):
    """
    A batch that a server confirmed, but may still forget if it loses its last second; fields as in `Note`.

    Attributes:
        version: The stream's version when the batch was confirmed. It tells two confirmations of the same rows apart, if they were
            lost in between.
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
