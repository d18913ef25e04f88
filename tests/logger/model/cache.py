"""
The cache file, in memory and as a value: what `connectordb.logger.rows.store` does, for as many runs as are searched.

That it does the same is held by `test_cache`, which has both do whatever comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from connectordb.logger.clocks.arrangement import Bounds, Point, arrange
from connectordb.logger.records import Coming, Held, Note, Row, StreamRow
from connectordb.logger.rows.corrections import Ready
from connectordb.logger.rows.noting import Begun
from connectordb.logger.rows.packing import Packed
from connectordb.logger.times import in_order, later

STREAM = 1
BASE = STREAM << 40


class File(NamedTuple):
    """
    What is in the file, of its one stream.

    Attributes:
        rows: Those that wait, and those that are held.
        number: Of the newest row that ever was.
        last: The newest time that was ever given out.
        note: What may have been sent.
        times: Further times that rows in the note were sent with: ids and times.
        held: What was confirmed and may be forgotten.
        aside: Rows that were set aside.
        keys: How many names for inserts were made.
        tracks: Whether the rest is kept: it is what corrections and times of the user's go by.
        wrong: By how much the clock was wrong at first.
        wrong_up_to: Up to which row.
        judged: Whether that is known.
        showed: What the clock showed, of each row that ever was.
        noted: The last row that was in a note.
        sent: The newest time that was in one.
    """

    rows: tuple[Row, ...] = ()
    number: int = 0
    last: float = 0.0
    note: Note | None = None
    times: tuple[tuple[int, float], ...] = ()
    held: tuple[Held, ...] = ()
    held_up_to: int = BASE
    aside: tuple[Row, ...] = ()
    keys: int = 0
    tracks: bool = False
    wrong: float = 0.0
    wrong_up_to: int = BASE
    judged: bool = False
    showed: tuple[float, ...] = ()
    noted: int = BASE
    sent: float = 0.0

    def add(self, t: float, d: str) -> File:
        """As `Tails.append`."""
        showed = (*self.showed, t) if self.wrong else ()
        t = t if t > self.last else later(self.last)
        row = Row(BASE + self.number + 1, t, d)
        return self._replace(rows=(*self.rows, row), number=self.number + 1, last=t, showed=showed)

    def put(self, t: float, d: str, restamp: bool) -> File:
        """As `Tails.append_many`, for one point with a time of the user's."""
        number = self.number + 1
        if t < self.sent:
            if not restamp:
                return self._replace(number=number, aside=(*self.aside, Row(BASE + number, t, d)))
            t = self.sent
        if t > self.last:
            return self._replace(rows=(*self.rows, Row(BASE + number, t, d)), number=number, last=t)
        stay = tuple(row for row in self.rows if row.t <= max(self.sent, t))
        again = sorted([*self.rows[len(stay) :], Row(0, t, d)], key=lambda row: row.t)
        floor = max(stay[-1].t if stay else 0.0, self.sent)
        times = in_order([row.t for row in again], floor)
        ids = range(BASE + number, BASE + number + len(again))
        rows = tuple(Row(id, t, row.d) for id, t, row in zip(ids, times, again, strict=True))
        return self._replace(rows=stay + rows, number=number + len(again) - 1, last=max(self.last, times[-1]))

    def clear(self) -> File:
        """As `Notes.clear`."""
        rows = tuple(row for row in self.rows if row.id <= self.held_up_to)
        return self._replace(rows=rows, note=None, times=())

    def waiting(self) -> tuple[Row, ...]:
        """Return the rows that are not held."""
        return tuple(row for row in self.rows if row.id > self.held_up_to)


def reopened(file: File) -> File:
    """Return what a new process finds in it: all of it."""
    return file


class Cache:
    """A `connectordb.logger.rows.store.Store` over a `File`, as far as a pass uses it."""

    queued = 0  # nobody inserts meanwhile

    def __init__(self, file: File, judges: bool = False) -> None:
        """Open *file* for a pass that *judges* the clocks, or that cannot know yet."""
        self._file = file
        # what the file was after each transaction since these were last taken away
        self.history: list[File] = []
        self.points, self.notes, self.held = Points(self), Notes(self), HeldBatches(self)
        self.corrections = lambda *_: Corrections(self, judges)
        self.catalogue, self.aside, self.outcomes = _Catalogue(), _Nobody(), _Nobody()

    @property
    def file(self) -> File:
        """What is in it."""
        return self._file

    @file.setter
    def file(self, file: File) -> None:
        self._file = file
        self.history.append(file)

    def make_room(self) -> None:
        """Do nothing: this disk is never full."""

    def new_key(self) -> str:
        """Return a name for an insert that was not given before."""
        self._file = self._file._replace(keys=self._file.keys + 1)
        return f"key {self._file.keys}"


class _Catalogue:
    def streams(self) -> list[StreamRow]:
        return [StreamRow(STREAM, "s", "{}", {}, False)]


class _Nobody:
    """Is told what happens, and forgets it."""

    def tell(self, ids: Iterable[int]) -> None:
        pass

    def reached(self, features: object) -> None:
        pass

    def stream_succeeded(self, stream: int) -> None:
        pass

    def stream_failed(self, stream: int, error: Exception, now: float) -> None:
        pass


class Corrections:
    """As `connectordb.logger.rows.corrections.Corrections`, for a clock that was wrong for a while, or not at all."""

    def __init__(self, cache: Cache, judges: bool) -> None:
        self._cache, self._judges = cache, judges

    def ready(self, stream: int, first: int, upto: int) -> Ready:
        file = self._cache.file
        if file.wrong and (file.judged or self._judges):
            corrected = self.corrected(file, max(first, file.noted + 1))
            if corrected != file:
                self._cache.file = corrected
        return Ready(upto)

    def corrected(self, file: File, begin: int) -> File:
        """Return the file with the times of the rows from id *begin* on as they ought to be."""
        before = [row for row in file.rows if row.id < begin]
        rows = [row for row in file.rows if row.id >= begin]
        if not rows:
            return file._replace(judged=True)
        floor = max([file.sent, *(row.t for row in before[-1:])])
        points = [Point(self._ought(file, row), is_sure=True) for row in rows]
        times = arrange(points, Bounds(floor)).times
        right = [Row(row.id, t, row.d) for row, t in zip(rows, times, strict=True)]
        return file._replace(rows=(*before, *right), last=max(floor, *times), judged=True)

    def _ought(self, file: File, row: Row) -> float:
        showed = file.showed[row.id - BASE - 1]
        return showed + file.wrong if row.id <= file.wrong_up_to else showed


class Points:
    """As `connectordb.logger.rows.points.Points`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def rows(self, first: int, last: int, limit: int, size: int, at_least: int = 1) -> list[Row]:
        return [row for row in self._cache.file.rows if first <= row.id <= last][:limit]

    def packed(self, first: int, last: int, limit: int) -> Packed | None:
        return _packed(self.rows(first, last, limit, 2**62))


class Notes:
    """As `connectordb.logger.rows.notes.Notes`."""

    #: Whether a move takes along those behind it that are in the way.
    pushes = True

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def of(self, stream: int) -> Note | None:
        return self._cache.file.note

    def streams(self) -> list[int]:
        return [] if self._cache.file.note is None else [STREAM]

    def sent_times(self, first: int, last: int) -> dict[int, list[float]]:
        times: dict[int, list[float]] = {}
        for id, t in self._cache.file.times:
            if first <= id <= last:
                times.setdefault(id, []).append(t)
        return times

    def keep_times(self, first: int, last: int) -> None:
        file = self._cache.file
        kept = {(row.id, row.t) for row in file.rows if first <= row.id <= last}
        self._cache.file = file._replace(times=tuple(sorted({*file.times, *kept})))

    def write(self, note: Note) -> None:
        self._cache.file = _noted(self._cache.file, note)

    def begin(self, coming: Coming) -> Begun | None:
        self._cache.file, begun = _begun(self._cache.file, coming)
        return begun

    def resolve(
        self,
        stream: int,
        confirmed: Sequence[int] = (),
        aside: Sequence[int] = (),
        reason: str = "",
        now: float = 0.0,
        note: Note | None = None,
        then: Coming | None = None,
    ) -> Begun | None:
        file = self._cache.file
        gone = [row for row in file.rows if row.id in aside]
        rows = tuple(row for row in file.rows if row.id not in confirmed and row.id not in aside)
        file = _dropped(file)._replace(rows=rows, aside=(*file.aside, *gone), note=note)
        self._cache.file, begun = _begun(file, then)
        return begun

    def move(self, note: Note) -> None:
        file = self._cache.file
        rows, times, last, pushing = [], set(file.times), 0.0, True
        for id, t, d in file.rows:
            before = t
            if id == note.first:
                t = last = later(t)
                times.add((id, before))
            elif id > note.first and pushing:
                pushing = t <= last and self.pushes
                t = last = later(last) if pushing else t
            rows.append(Row(id, t, d))
        self._keep(file, note, rows, times, last)

    def restamp(self, note: Note, newest: float) -> None:
        file = self._cache.file
        rows, last, pushing = [], newest, True
        for id, t, d in file.rows:
            if id >= note.first and pushing:
                pushing = t <= last
                t = last = later(last) if pushing else t
            rows.append(Row(id, t, d))
        self._keep(file, note, rows, set(file.times), last)

    def _keep(self, file: File, note: Note, rows: list[Row], times: set[tuple[int, float]], last: float) -> None:
        changed = file._replace(rows=tuple(rows), times=tuple(sorted(times)), last=max(file.last, last))
        self._cache.file = _noted(changed, note)


class HeldBatches:
    """As `connectordb.logger.rows.held.HeldBatches`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def of(self, stream: int) -> list[Held]:
        return list(self._cache.file.held)

    def streams(self) -> set[int]:
        return {STREAM} if self._cache.file.held else set()

    def first_waiting(self, stream: int) -> int:
        return self._cache.file.held_up_to + 1

    def hold(self, note: Note, last: int, now: float = 0.0, then: Coming | None = None) -> Begun | None:
        file = self._cache.file
        held = Held(note.stream, note.first, last, note.server, note.apikey, note.path, note.length or 0, note.before)
        file = _dropped(file)
        if any(note.first <= row.id <= last for row in file.rows):  # they may have been dropped meanwhile
            file = file._replace(held=(*file.held, held), held_up_to=last)
        self._cache.file, begun = _begun(file, then)
        return begun

    def release(self, batch: Held) -> None:
        file = self._cache.file
        rows = tuple(row for row in file.rows if not batch.first <= row.id <= batch.last)
        self._cache.file = file._replace(rows=rows, held=tuple(held for held in file.held if held != batch))

    def lose(self, stream: int, lost: Sequence[int]) -> None:
        file = self._cache.file
        rows = tuple(row for row in file.rows if row.id > file.held_up_to or row.id in lost)
        self._cache.file = file._replace(rows=rows, held=(), held_up_to=BASE)


def _dropped(file: File) -> File:
    return file._replace(note=None, times=())


def _noted(file: File, note: Note) -> File:
    if file.tracks:
        sent = max([file.sent, *(row.t for row in file.rows if note.first <= row.id <= note.last)])
        file = file._replace(noted=max(file.noted, note.last), sent=sent)
    return file._replace(note=note)


def _begun(file: File, coming: Coming | None) -> tuple[File, Begun | None]:
    """Return the file with a batch noted, if any of it is there, and the note with its rows."""
    rows = [row for row in file.rows if coming is not None and coming.note.first <= row.id <= coming.note.last]
    packed = None if coming is None else _packed(rows[: coming.rows])
    if coming is None or packed is None:
        return file, None
    note = replace(coming.note, first=packed.first, last=packed.last)
    return _noted(file, note), (note, packed)


def _packed(rows: Sequence[Row]) -> Packed | None:
    if not rows:
        return None
    text = ",".join(f'{{"t":{row.t!r},"d":{row.d}}}' for row in rows)
    return Packed(len(rows), rows[0].id, rows[-1].id, rows[0].t, rows[-1].t, f"[{text}]")
