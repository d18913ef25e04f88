"""What is in the cache file, as values: rows, notes, streams, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


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


class Held(NamedTuple):
    """A batch that a server confirmed, and may forget if it loses its last second; as `Note`."""

    stream: int
    first: int
    last: int
    server: str
    apikey: str
    path: str
    length: int
    before: float | None


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
