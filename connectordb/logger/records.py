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
    """What may have been sent: a stream's rows from *first* to *last*, and what there was on the server before."""

    stream: int
    first: int
    last: int
    server: str
    apikey: str
    path: str
    length: int | None
    before: float | None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of a stream's points: accepted = waiting + confirmed + aside + dropped."""

    name: str
    accepted: int
    waiting: int
    confirmed: int
    aside: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A point set aside: the stream's name, the point, why and when."""

    id: int
    stream: str
    t: float
    d: Any
    reason: str
    at: float
