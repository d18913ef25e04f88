"""
The bounds of a file: what may be added to it, and making room.

Counting what the file holds takes a look at every stream, so it is not done for each point. After a look, as many points may be added
as there is room for, but at most `_AT_ONCE`, as other processes may add to the file as well. So one process keeps to a bound exactly,
and each further process may exceed it by that many points. Only whoever has the turn at the writing connection (`commits`) changes
any of this; others may read it, which does no harm.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import TypeVar

from ...exceptions import LoggerFull
from ...runtime import sqlite
from ...runtime.clock import SYSTEM, Clock
from ..clocks import PLAUSIBLE
from ..limits import Limits
from . import dropping
from .cache_file import CacheFile
from .dropping import Age
from .thinning import thin

T = TypeVar("T")

#: How many points may be added after a look at the file, before the next look.
_AT_ONCE = 64

#: To make room, this fraction (one in so many) of the points that the file may hold is dropped at once, but at most so many: so that
#: not every insert has to make room.
_SLAB, _LARGEST_SLAB = 1000, 1000

#: Bytes that a row takes beside its value; and the length from which a value has pages of its own.
_ROW, _PAGE = 40, 4096

#: Bytes that stay free, for what is written besides points, and for pages that are split.
_MARGIN = 4 * _PAGE

#: How many rows are given up for their age at once, while an insert waits.
_AGED = 5000


class _LooksFirst(Exception):
    """A look at the file is needed, which takes a transaction, and there is none."""


class Bounds:
    """
    Keeps a file within its bounds.

    Args:
        file: The file.
        limits: The bounds.
        clock: The clocks.
    """

    def __init__(self, file: CacheFile, limits: Limits, clock: Clock = SYSTEM) -> None:
        self.limits = limits
        self._file = file
        self._clock = clock
        # what may be added before the next look: how many points and bytes, and between which times of the wall clock
        self._points = self._bytes = 0.0
        self._from = self._until = 0.0
        self._looked = False
        self._boot_id = None if clock.boot is None else clock.boot_id()
        file.on_rollback(self._forget)

    def _forget(self) -> None:
        self._points = 0.0

    # --- adding ---------------------------------------------------------------------------------------------------------

    def add(
        self,
        add: Callable[[sqlite.Connection], T],
        drop: Callable[[sqlite.Connection], T],
        d: str,
        now: float,
        atomic: bool = True,
    ) -> T:
        """
        Add a point with the value *d*, in the file's next transaction.

        Args:
            add: Adds it.
            drop: Called instead if it is to be dropped: counts it as accepted and dropped.
            d: The value, as JSON text.
            now: What the wall clock shows.
            atomic: Whether *add* needs no transaction around it.

        Raises:
            LoggerFull: There is no room, and ``on_full`` is ``"raise"``.
        """
        size = _size(d)

        def work(connection: sqlite.Connection) -> T:
            if self._take(1, size, now):
                return add(connection)
            if not connection.in_transaction:
                raise _LooksFirst
            fits = self.look(connection, [size], now)
            result = add(connection) if fits else drop(connection)
            self.settle(connection, now)
            return result

        if atomic and self._points:
            try:
                return self._file.write(work, atomic=True, lasting=False)
            except _LooksFirst:  # other threads have used the room up
                pass
        return self._file.write(work, lasting=False)

    def _take(self, points: int, size: int, now: float) -> bool:
        """Tell whether so much may be added without a look; if so, it is counted as added."""
        if points > self._points or size > self._bytes or not self._from <= now < self._until:
            return False
        self._points -= points
        self._bytes -= size
        return True

    def split(
        self, connection: sqlite.Connection, points: Mapping[int, Sequence[tuple[float, str]]], now: float
    ) -> tuple[Mapping[int, Sequence[tuple[float, str]]], Mapping[int, int]]:
        """
        Return which *points*, by stream, may be added, and how many others there are of each stream; call `settle` afterwards.

        Raises:
            LoggerFull: There is no room, and ``on_full`` is ``"raise"``.
        """
        rows = sorted(((t, stream, d) for stream, given in points.items() for t, d in given), key=itemgetter(0))
        sizes = [_size(d) for _, _, d in rows]
        if self._take(len(sizes), sum(sizes), now):
            return points, {}
        number = self.look(connection, sizes, now)
        if number == len(rows):
            return points, {}
        fitting: dict[int, list[tuple[float, str]]] = {}
        for t, stream, d in rows[:number]:
            fitting.setdefault(stream, []).append((t, d))
        return fitting, Counter(stream for _, stream, _ in rows[number:])

    def look(self, connection: sqlite.Connection, sizes: Sequence[int], now: float) -> int:
        """
        Look at the file, and return how many points of these *sizes*, from the first on, may be added; call `settle` afterwards.

        Raises:
            LoggerFull: There is not room for all of them, and ``on_full`` is ``"raise"``.
        """
        self._looked = True
        if self.limits.max_age is not None:
            self._drop_aged(connection, now, _AGED)
        points, room = self._room(connection)
        fitting = sum(taken <= room for taken in accumulate(sizes))
        fitting = min(fitting, max(int(min(points, len(sizes))), 0))
        if fitting == len(sizes) or self.limits.on_full in ("drop_oldest", "thin"):
            return len(sizes)
        if self.limits.on_full == "drop_newest":
            return fitting
        raise LoggerFull(
            f"the cache file {self._file.path!r} is full ({self.limits}): {dropping.count(connection)} points wait or are set "
            f"aside, in {dropping.used(connection)} bytes, and {len(sizes)} more were not taken; sync(), drop_rejected(), "
            "cleardata(), or a Logger with another on_full make room"
        )

    def settle(self, connection: sqlite.Connection, now: float) -> None:
        """After a look: make room for what was added, if ``on_full`` says so, and reckon how much may be added before the next look."""
        if not self._looked:
            return
        self._looked = False
        points, room = self._room(connection)
        if self.limits.on_full in ("drop_oldest", "thin"):
            while points < 0 or room < 0:
                if not self._drop_some(connection, max(int(-points), 0) if points < 0 else 0):
                    break
                points, room = self._room(connection)
        self._points, self._bytes = min(points, _AT_ONCE), room
        age = self.limits.max_age
        self._from, self._until = (now, now + min(age / 100, 60.0)) if age is not None else (-math.inf, math.inf)

    def _room(self, connection: sqlite.Connection) -> tuple[float, float]:
        """Return how many points, and bytes, there is room for; negative if there are too many."""
        points = room = math.inf
        if self.limits.max_points is not None:
            points = self.limits.max_points - dropping.count(connection)
        if self.limits.max_bytes is not None:
            room = self.limits.max_bytes - _MARGIN - dropping.used(connection)
        return points, room

    # --- making room ----------------------------------------------------------------------------------------------------

    def _drop_some(self, connection: sqlite.Connection, excess: int) -> int:
        """Drop points, at least *excess* of them if that many may go; return how many."""
        number = max(excess, min((self.limits.max_points or dropping.count(connection)) // _SLAB, _LARGEST_SLAB), 1)
        gone = dropping.rejected(connection, number)
        if gone:
            return gone
        if self.limits.on_full == "thin":
            # with half of its rows gone, a page is not free yet; with three quarters gone, two pages of three are
            gone = thin(connection, self._file.tails, 1 if self.limits.max_bytes is None else 2)
        return gone or dropping.oldest(connection, self._file.tails, number)

    def expire(self) -> None:
        """Drop points that are older than ``max_age``, whether they wait or were set aside."""
        if self.limits.max_age is None:
            return
        while self._file.write(lambda connection: self._drop_aged(connection, self._clock.wall(), _AGED)) == _AGED:
            pass
        age = self._age(self._clock.wall())
        self._file.write(lambda connection: dropping.rejected_before(connection, age))

    def _drop_aged(self, connection: sqlite.Connection, now: float, number: int) -> int:
        return dropping.before(connection, self._file.tails, self._age(now), number)

    def _age(self, now: float) -> Age:
        age = self.limits.max_age or math.inf
        boot = self._clock.boot
        up = -math.inf if boot is None else boot() - age
        # while the clock has not been set, it tells nothing about points of an earlier start of the machine
        before = now - age if now >= PLAUSIBLE else -math.inf
        return Age(before, self._boot_id, up)


def _size(d: str) -> int:
    """Return the most bytes that a row with the value *d* can take."""
    size = _ROW + (len(d) if d.isascii() else len(d.encode()))
    # a page that is split may be half empty; a long value has pages of its own, of which the last is not full
    return 2 * size if size < _PAGE else size + 2 * _PAGE
