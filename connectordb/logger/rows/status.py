"""The numbers of a Logger at one moment, as values that print themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from ...protocol import json_text
from ...protocol.features import Features
from ...runtime import sqlite
from ..clocks import PLAUSIBLE
from ..file import ACCEPTED, MASK, NUMBER_BITS, WAITING
from ..limits import Limits
from .cache_file import CacheFile

#: What becomes of points; and what happens rarely: that a damaged file loses them, or that their times are changed.
FATES = ("accepted", "confirmed", "waiting", "aside", "dropped")
CHANGES = ("lost", "shifted", "corrected", "restamped")

_EPHEMERAL = "the stream is ephemeral, and its server keeps nothing that could be looked at: points arrive once at most"
_LONE = (
    "the server knows no idempotency keys: a point that goes alone, and whose first copy arrives after the connection broke, "
    "the wait and the look at the stream, but before the second copy, is stored twice"
)


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """
    What became of a stream's points: ``accepted == confirmed + waiting + aside + dropped + lost``.

    Attributes:
        name: The stream.
        accepted: Points for which ``insert`` or ``insert_many`` returned.
        confirmed: Those that the server has.
        waiting: Those that wait to be sent, or may have been sent.
        aside: Those that the server does not take: see `Logger.rejected`.
        dropped: Those that were given up because the program wanted that: by bounds, ``cleardata()`` or ``drop_rejected()``.
        lost: Those that were in the file when it was damaged, and could no longer be read.
        shifted: Points whose time was moved by the smallest step, as another point had the same.
        corrected: Points whose time was corrected, as the clock had been wrong.
        restamped: Points that were older than what the stream held, and got a later time.
        oldest: The time of the oldest point that waits, or ``None``.
        waited: The seconds since then; ``None`` if nothing waits, or if that time was not told by a trustworthy clock.
        synced: When points were last confirmed, in seconds since 1970, or ``None``.
        error: Why the points wait, if the last attempt failed, or ``None``.
        error_at: Since when that has been so.
        note: Why, in rare cases, a point may be stored twice or not at all, if that cannot be ruled out, or ``None``.
    """

    name: str
    accepted: int
    confirmed: int
    waiting: int
    aside: int
    dropped: int
    lost: int
    shifted: int
    corrected: int
    restamped: int
    oldest: float | None
    waited: float | None
    synced: float | None
    error: str | None
    error_at: float | None
    note: str | None

    def __str__(self) -> str:
        """Say the figures that are not 0, and what else there is to say."""
        figures = [
            f"{getattr(self, name)} {name}" for name in FATES + CHANGES if name == "accepted" or getattr(self, name)
        ]
        words = [f"{self.name}: {', '.join(figures)}"]
        if self.oldest is not None:
            words.append(_oldest(self))
        if self.synced is not None:
            words.append(f"last confirmed {_when(self.synced)}")
        if self.error is not None:
            words.append(f"failing since {_when(self.error_at)}: {self.error}")
        return "; ".join(words)

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Mended:
    """
    The last time that a damaged file was replaced by what could be read of it.

    Attributes:
        at: When, in seconds since 1970.
        kept: The present name of the damaged file, beside the new one.
        why: What was wrong with it.
        lost: How many points are known to be lost.
        in_doubt: Whether all waiting points have to be looked for on the server, as it is not known which of them were sent.
    """

    at: float
    kept: str
    why: str
    lost: int
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class Status:
    """
    What a Logger's file holds, and what is being done about it, at one moment.

    It prints as a table.

    Attributes:
        file: The file.
        at: The moment, in seconds since 1970.
        streams: Stream name → its `StreamStatus`.
        synced: When a sync last brought points to the server, in seconds since 1970, or ``None``.
        error: Why the last sync failed, or ``None`` if it did not.
        error_at: Since when that has been so.
        background: Whether this Logger syncs in the background: between ``start()`` and ``stop()``.
        syncing: Whether this Logger is syncing right now.
        elsewhere: Whether another process is syncing the file now.
        next_try: Seconds until the next sync in the background, or ``None``.
        limits: The bounds that this Logger was given.
        mended: When and how the file was mended after damage, or ``None``.
    """

    file: str
    at: float
    streams: Mapping[str, StreamStatus]
    synced: float | None
    error: str | None
    error_at: float | None
    background: bool
    syncing: bool
    elsewhere: bool
    next_try: float | None
    limits: Limits
    mended: Mended | None = None

    @property
    def accepted(self) -> int:
        """How many points were accepted, of all streams; so for the others below."""
        return self._sum("accepted")

    @property
    def confirmed(self) -> int:
        """Those that the server has."""
        return self._sum("confirmed")

    @property
    def waiting(self) -> int:
        """Those that wait."""
        return self._sum("waiting")

    @property
    def aside(self) -> int:
        """Those that were set aside."""
        return self._sum("aside")

    @property
    def dropped(self) -> int:
        """Those that were dropped."""
        return self._sum("dropped")

    @property
    def lost(self) -> int:
        """Those that were lost with a damaged file."""
        return self._sum("lost")

    @property
    def shifted(self) -> int:
        """Those whose time was moved by the smallest step."""
        return self._sum("shifted")

    @property
    def corrected(self) -> int:
        """Those whose time was corrected."""
        return self._sum("corrected")

    @property
    def restamped(self) -> int:
        """Those that were given a later time."""
        return self._sum("restamped")

    @property
    def oldest(self) -> float | None:
        """The time of the oldest point that waits."""
        first = self._first()
        return None if first is None else first.oldest

    @property
    def waited(self) -> float | None:
        """The seconds since then, as `StreamStatus.waited`."""
        first = self._first()
        return None if first is None else first.waited

    def _first(self) -> StreamStatus | None:
        waiting = [stream for stream in self.streams.values() if stream.oldest is not None]
        return min(waiting, key=lambda stream: stream.oldest or 0.0, default=None)

    def _sum(self, name: str) -> int:
        return sum(getattr(stream, name) for stream in self.streams.values())

    def __str__(self) -> str:
        """Return a table of the streams; before it, what concerns all of them; after it, what there is to say about each."""
        return "\n".join([*self._head(), "", *self._table(), *self._remarks()])

    __repr__ = __str__

    def _head(self) -> Iterable[str]:
        yield f"{self.file}, {_when(self.at)}"
        doing = [
            "syncing now" if self.syncing else "in the background" if self.background else "no sync in the background"
        ]
        if self.elsewhere:
            doing.append("another process is syncing the file")
        if self.next_try is not None:
            doing.append(f"next try in {_length(self.next_try)}")
        doing.append("never synced" if self.synced is None else f"last synced {_when(self.synced)}")
        yield ", ".join(doing)
        if self.limits:
            yield str(self.limits)
        first = self._first()
        if first is not None:
            yield f"{_oldest(first)}, in {first.name}"
        if self.error is not None:
            yield f"failing since {_when(self.error_at)}: {self.error}"
        if self.mended is not None:
            yield f"damaged, and mended {_when(self.mended.at)}; what there was is kept as {self.mended.kept}"

    def _table(self) -> Iterable[str]:
        names = [name for name in FATES + CHANGES if name in FATES or self._sum(name)]
        rows = [["stream", *names]]
        rows += [[stream.name, *(str(getattr(stream, name)) for name in names)] for stream in self.streams.values()]
        if len(self.streams) != 1:
            rows.append(["all", *(str(self._sum(name)) for name in names)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(names) + 1)]
        for row in rows:
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            yield "  ".join(cells)

    def _remarks(self) -> Iterable[str]:
        notes: dict[str, list[str]] = {}
        for stream in self.streams.values():
            if stream.error is not None:
                notes.setdefault(f"failing since {_when(stream.error_at)}: {stream.error}", []).append(stream.name)
            if stream.note is not None:
                notes.setdefault(stream.note, []).append(stream.name)
        if notes:
            yield ""
        for note, names in notes.items():
            yield f"{', '.join(names) if len(names) < max(2, len(self.streams)) else 'all'}: {note}"


@dataclass(frozen=True, slots=True)
class Activity:
    """What is being done in this process, and in others; the fields are those of `Status`."""

    background: bool
    syncing: bool
    elsewhere: bool
    next_try: float | None


def read(file: CacheFile, now: float, activity: Activity, limits: Limits) -> Status:
    """Return what the file holds, as of one moment."""
    with file.reading() as connection, sqlite.view(connection):
        settings = dict(
            connection.execute(
                "SELECT name, value FROM setting WHERE name IN ('failure', 'features', 'lastsynctime', 'mended')"
            )
        )
        announced = settings.get("features")
        knows_keys = announced is None or Features.parse(json_text.loads(announced)).idempotency is not None
        streams = {stream.name: stream for stream in _streams(connection, file, now, knows_keys)}
    failure = json_text.loads(settings.get("failure", "null")) or (None, None)
    return Status(
        file=file.path,
        at=now,
        streams=streams,
        synced=json_text.loads(settings.get("lastsynctime", "0")) or None,
        error=failure[0],
        error_at=failure[1],
        limits=limits,
        mended=_mended(json_text.loads(settings.get("mended", "null"))),
        **{field.name: getattr(activity, field.name) for field in fields(activity)},
    )


def _mended(story: Mapping[str, Any] | None) -> Mended | None:
    return None if story is None else Mended(**{field.name: story[field.name] for field in fields(Mended)})


def _streams(connection: sqlite.Connection, file: CacheFile, now: float, knows_keys: bool) -> Iterable[StreamStatus]:
    query = (
        f"SELECT s.id, s.name, {ACCEPTED}, s.confirmed, {WAITING}, s.aside, s.dropped, s.lost, s.shifted, s.corrected, "
        "s.restamped, s.synced, s.error, s.error_at, s.properties, p.t, p.era FROM stream s LEFT JOIN point p ON p.id = "
        f"(SELECT min(id) FROM point WHERE id BETWEEN (s.id << {NUMBER_BITS}) + s.held + 1 AND (s.id << {NUMBER_BITS}) + ?1) ORDER BY s.id"
    )
    rows: Iterable[Any] = connection.execute(query, (MASK,))
    for id, name, *counts, synced, error, error_at, properties, oldest, era in rows:
        figures = dict(zip(FATES + CHANGES, counts, strict=True))
        figures["shifted"] += file.tails.shifted(id)
        stamped = oldest is not None and era is not None and min(oldest, now) >= PLAUSIBLE
        ephemeral = bool(json_text.loads(properties).get("ephemeral"))
        yield StreamStatus(
            name=name,
            **figures,
            oldest=oldest,
            waited=max(now - oldest, 0.0) if stamped else None,
            synced=synced or None,
            error=error,
            error_at=None if error is None else error_at,
            note=_EPHEMERAL if ephemeral else None if knows_keys else _LONE,
        )


def _oldest(stream: StreamStatus) -> str:
    waited = "" if stream.waited is None else f" and has waited for {_length(stream.waited)}"
    return f"the oldest waiting point is of {_when(stream.oldest)}{waited}"


def _when(t: float | None) -> str:
    try:
        return datetime.fromtimestamp(t or 0.0).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):  # a user may give any time, even one that no calendar has
        return repr(t)


def _length(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
