"""The verdict: what should be, held against what a Logger says and a stream holds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .book import Book

Counts = Mapping[str, int]

#: Tells of a point that lies aside, and the reason, whether that may be.
Allowed = Callable[[Any, str], bool]


def adds_up(book: Book, counts: Counts) -> Iterator[str]:
    """
    Check what holds at every instant, whatever waits.

    Args:
        book: The stream as it should be.
        counts: What the Logger counts of it, and ``rows``: those in its file.
    """
    name = book.name
    at_least = len(book.accepted)
    if not at_least <= counts["accepted"] <= at_least + len(book.doubtful):
        yield f"{name}: the Logger counts {counts['accepted']} points accepted, where {at_least} were, and {len(book.doubtful)} may have been"
    if counts["waiting"] != counts["rows"]:
        yield f"{name}: the Logger counts {counts['waiting']} points waiting, and {counts['rows']} rows are in its file"
    places = sum(counts[place] for place in ("confirmed", "waiting", "aside", "dropped"))
    if counts["accepted"] != places or min(counts.values()) < 0:
        yield f"{name}: the Logger counts what does not add up: {dict(counts)}"


def stream_is_right(book: Book) -> Iterator[str]:
    """Check what the stream holds, whatever waits: each point once, in order, and none that does not belong there."""
    name = book.name
    times = [t for t, _ in book.held]
    if any(later < earlier for earlier, later in zip(times, times[1:], strict=False)):
        yield f"{name}: the times in the stream go back"
    number = Counter(point for _, point in book.held)
    for point, often in number.items():
        if often > 1:
            yield f"{name}: {point} is there twice, or more often: {often} times"
    ours = set(book.accepted) | book.doubtful
    for point in number:
        if point in book.refused:
            yield f"{name}: {point} was not accepted, and is there"
        elif point not in ours and point not in book.others:
            yield f"{name}: {point} is there, and nobody logged it"
    newest: dict[str, int] = {}
    for _, point in book.held:
        if isinstance(point, tuple):
            who, count = point
            if count < newest.get(who, -1):
                yield f"{name}: {point} is out of order: it comes after {who}'s {newest[who]}"
            newest[who] = max(count, newest.get(who, -1))


def all_is_settled(book: Book, counts: Counts, reasons: Mapping[Any, str], allowed: Allowed) -> Iterator[str]:
    """
    Check what holds when nothing waits any more.

    Args:
        book: The stream as it should be.
        counts: As for `adds_up`.
        reasons: Of the points that lie aside since it was checked last.
        allowed: Tells whether a point may lie aside for a reason.
    """
    name = book.name
    held = {point for _, point in book.held}
    known, aside = book.known(), set(book.aside)
    if counts["waiting"]:
        yield f"{name}: {counts['waiting']} points wait, and nothing is in their way"
    missing = set(book.accepted) - held - aside - book.gone
    if len(missing) != counts["dropped"]:
        for point in sorted(missing):
            yield f"{name}: {point} is lost"
        yield f"{name}: {len(missing)} points are nowhere, and the Logger counts {counts['dropped']} dropped"
    for point in sorted(set(book.others) - held - book.gone):
        yield f"{name}: {point}, of another writer, is lost"
    if len(aside) != len(book.aside) or counts["aside"] != len(aside):
        yield f"{name}: {len(book.aside)} points lie aside, {len(aside)} different ones, and the Logger counts {counts['aside']}"
    for point in book.aside:
        if point in held:
            yield f"{name}: {point} is there, and set aside"
        elif point not in known:
            yield f"{name}: {point} is set aside, and was never accepted"
        if point in reasons and not allowed(point, reasons[point]):
            yield f"{name}: {point} is set aside for no reason: {reasons[point]}"
    if counts["accepted"] != len(known):
        yield f"{name}: the Logger counts {counts['accepted']} points accepted, and {len(known)} were"
    confirmed = known - aside - missing
    if counts["confirmed"] != len(confirmed):
        yield f"{name}: the Logger counts {counts['confirmed']} points confirmed, and {len(confirmed)} were"


def receipts_are_right(book: Book, point: Any, state: str) -> Iterator[str]:
    """Check what a receipt says of a point when nothing waits any more."""
    held = {point for _, point in book.held}
    where = {
        "stored": held | book.gone,
        "set aside": set(book.aside),
        "dropped": set(book.accepted) - held - set(book.aside),
    }
    if point not in where.get(state, ()):
        yield f"{book.name}: the receipt of {point} says {state!r}, and that is not so"
