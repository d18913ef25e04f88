"""
The cache file: what `connectordb.logger`'s store do to it, each change in one transaction.

Imitated, as the file is no part of what is searched: that the real one does the same is what its own tests hold.
"""

from __future__ import annotations

from collections.abc import Collection

from connectordb.logger import plan

from .world import LETTERS, Batch, Note, Point, State, noted, once_sent


class Cache:
    """What becomes of the file."""

    def opened(self, s: State) -> State:
        """Return what a new process finds: all of it."""
        return s

    def add(self, s: State, t: float) -> State:
        """As `Tails.append`."""
        t = t if t > self.floor(s) else plan.later(self.floor(s))
        return s._replace(rows=(*s.rows, (t, LETTERS[s.added])), added=s.added + 1, last=max(s.last, t))

    def floor(self, s: State) -> float:
        """Return what a new point's time must be above."""
        return s.last

    def write_note(self, s: State, note: Note) -> State:
        """
        As `Notes.write` and `Notes.begin`.

        Ahead of it: the note says up to where rows were in it, before others were split off.
        """
        return s._replace(note=note._replace(reach=max(note.reach, s.note.last) if s.note else ""))

    def looked_for(self, s: State) -> Batch:
        """Return the rows that are looked for. Ahead of `sending.Sending._look`: also those that were split off."""
        return once_sent(s)

    def sent_times(self, s: State) -> dict[str, list[float]]:
        """As `Notes.sent_times`."""
        times: dict[str, list[float]] = {}
        for t, v in s.times:
            times.setdefault(v, []).append(t)
        return times

    def move(self, s: State) -> State:
        """As `Notes.move`; ahead of it: it keeps the times of rows that were split off, too."""
        ((_, moved),) = noted(s)
        once = once_sent(s)
        rows: list[Point] = []
        sent = set(s.times)
        last, pushing = 0.0, True
        for t, v in s.rows:
            before = (t, v)
            if v == moved:
                t = last = plan.later(t)
            elif v > moved and pushing:
                if t <= last and self.pushes:
                    t = last = plan.later(last)
                else:
                    pushing = False
            if before in once and before[0] != t:
                sent.add(before)
            rows.append((t, v))
        times = tuple(sorted(sent))
        return s._replace(rows=tuple(rows), times=times, last=max(s.last, last))

    #: Whether a move takes along those behind it that are in the way.
    pushes = True

    def resolve(self, s: State, confirmed: Collection[str] = (), aside: Collection[str] = ()) -> State:
        """As `Notes.resolve`."""
        rows = tuple(row for row in s.rows if row[1] not in confirmed and row[1] not in aside)
        return s._replace(rows=rows, aside=s.aside + "".join(sorted(aside)), note=None, times=(), sent=False)
