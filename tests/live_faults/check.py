"""The verdict: what a subscriber was told, held against what its stream holds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

#: Differences of one kind that are named, and characters of what is in them.
_NAMED, _LONG = 5, 60


@dataclass(frozen=True)
class Point:
    """A point of a stream, or as a callback got it; without an index where it has none."""

    index: int | None
    t: float
    d: Any


class Change(NamedTuple):
    """
    What became of a stream while a subscriber watched.

    Attributes:
        reasons: Those that `on_gone` may tell, one of them at least.
        before: What the stream held, as it was the last time before that.
        kept: How many of these points there are still.
        resumes: Whether who watched goes on with the points that are later than the last he was told, and not with the first.
    """

    reasons: frozenset[str]
    before: Sequence[Point]
    kept: int
    resumes: bool


def is_continued(name: str, told: Sequence[Point], stream: Sequence[Point]) -> Iterator[str]:
    """
    Check that what was told are these points of a stream: each once, in order, and as they are stored.

    Args:
        name: Whose record it is.
        told: What was told.
        stream: What should have been.
    """
    if any(point.index is None for point in told):
        yield f"{name}: points without an index: {_some(point.d for point in told if point.index is None)}"
        return
    indices = [point.index for point in told if point.index is not None]
    stored = {point.index: point for point in stream}
    seen = Counter(indices)
    missing = [index for index in stored if index not in seen]
    if missing:
        yield f"{name}: {len(missing)} points are missing: {_some(missing)} of {_range(stored)}"
    twice = [index for index, often in seen.items() if often > 1]
    if twice:
        yield f"{name}: {len(twice)} points came twice: {_some(twice)}"
    surplus = [index for index in seen if index not in stored and seen[index] == 1]
    if surplus:
        yield f"{name}: {len(surplus)} points that should not have come again, or are not there: {_some(surplus)} beside {_range(stored)}"
    back = [later for earlier, later in zip(indices, indices[1:], strict=False) if later < earlier]
    if back:
        yield f"{name}: {len(back)} points came out of order: {_some(back)}"
    other = [point for point in told if point.index in stored and stored[point.index] != point]
    if other:
        was = stored[other[0].index]
        yield f"{name}: {len(other)} points are not as they are stored: {other[0]} was {was}"


def is_continued_through(
    name: str,
    told: Sequence[Point],
    gone: Sequence[tuple[int, str]],
    change: Change,
    first: int,
    stream: Sequence[Point],
) -> Iterator[str]:
    """
    Check what was told of a stream that was made anew, or set back, meanwhile.

    Args:
        name: Whose record it is.
        told: What was told.
        gone: What `on_gone` told, each with how much of *told* had come before.
        change: What became of the stream.
        first: The index of the first point that was to come.
        stream: All that it holds now.
    """
    heard = [place for place, reason in gone if reason in change.reasons]
    strange = [reason for _, reason in gone if reason not in change.reasons]
    if strange:
        yield f"{name}: it was told that the stream was {_some(strange)}, where only {_some(sorted(change.reasons))} is so"
    at = heard[-1] if heard else _common(told, change.before[first:])
    old, new = told[:at], told[at:]
    if old and heard and not first and not change.resumes and list(old) == list(stream[: len(old)]):
        # read in the moment between the change and the word of it, by who had nothing yet to know the stream by: they come again
        old = []
    yield from is_continued(f"{name}, before the change", old, change.before[first : first + len(old)])
    has = first + len(old)
    if not heard and has and (has > change.kept or not change.resumes):
        yield f"{name}: nobody told that the stream was {' or '.join(sorted(change.reasons))}, after {has} points of which {change.kept} are left"
    if not change.resumes:
        rest = list(stream)
    elif has <= change.kept:  # what it was told is there still
        rest = list(stream[has:])
    else:
        last = (old[-1] if old else change.before[has - 1]).t
        rest = [point for point in stream if point.t > last]
    yield from is_continued(f"{name}, after the change", new, rest)


def is_heard_once(name: str, told: Sequence[Any], sent: set[tuple[str, int]]) -> Iterator[str]:
    """
    Check what was told of a stream that stores nothing: nothing twice, each writer's in order, and nothing that nobody wrote.

    Args:
        name: Whose record it is.
        told: The values, each with its writer and the how-manieth of his it is.
        sent: What may have been written.
    """
    points = [tuple(value[:2]) for value in told]
    twice = [point for point, often in Counter(points).items() if often > 1]
    if twice:
        yield f"{name}: {len(twice)} points came twice: {_some(twice)}"
    made_up = [point for point in points if point not in sent]
    if made_up:
        yield f"{name}: {len(made_up)} points that nobody wrote: {_some(made_up)}"
    newest: dict[str, int] = {}
    for who, number in points:
        if number < newest.get(who, -1):
            yield f"{name}: {(who, number)} came out of order, after {newest[who]}"
        newest[who] = max(number, newest.get(who, -1))


def adds_up(name: str, says: dict[str, Any], told: int, last: int | None) -> Iterator[str]:
    """
    Check what a subscription says of itself, when all has come.

    Args:
        name: Whose.
        says: Its numbers.
        told: How many points its callback got.
        last: The index of the last of them.
    """
    right = {"delivered": told, "missed": 0, "lag": 0, "last_index": last, "state": "live"}
    for what, value in says.items():
        if value != right[what]:
            yield f"{name}: its {what} is {value!r}, and should be {right[what]!r}"


def _common(told: Sequence[Point], before: Sequence[Point]) -> int:
    """Return how many of the first of both are the same."""
    pairs = enumerate(zip(told, before, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(told), len(before)))


def _some(what: Iterable[Any]) -> str:
    named = list(what)
    texts = [str(one) for one in named[:_NAMED]]
    return ", ".join(text if len(text) < _LONG else text[:_LONG] + "…" for text in texts) + (
        ", …" if len(named) > _NAMED else ""
    )


def _range(stored: dict[int | None, Point]) -> str:
    indices = [index for index in stored if index is not None]
    return f"{min(indices)}…{max(indices)}" if indices else "none"
