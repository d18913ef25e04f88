"""
Which clock is right, this machine's or the server's, and by how much the eras of this machine were off. Pure.

If they differ by no more than `BOUND`, the machine's own clock counts: it is finer than a server's ``Date``, which tells whole seconds
and has travelled, and a few minutes are the business of whoever set the clock. If they differ by more, one of the two is wrong, and
that is hardly ever the server, which has a network, and by which everybody else's points are timed. A server is not believed if its
own clock shows a time before 2001; nor if it shows a time before that of an earlier sync, while this machine's clock does not.

An era is judged once, by the first pass that reaches the server: what an earlier pass took for right is not made wrong by what
happened to a clock since. Only the present era is judged again by each pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import inf
from operator import attrgetter

from .eras import STEP

#: The beginning of 2001: a clock that shows an earlier time was never set.
PLAUSIBLE = 978_307_200.0

#: Seconds by which two clocks may differ that are both looked after: a quarter of an hour. Clocks that are set by hand stay within
#: that; a clock in the wrong time zone is off by at least half an hour.
BOUND = 900.0


@dataclass(frozen=True, slots=True)
class Era:
    """
    A stretch of time in which the wall clock and the boot clock went at a constant distance.

    Attributes:
        boot: The start of the machine that it belongs to.
        difference: The wall clock minus the boot clock.
        corrected: The seconds to be added to its times; ``None`` if it was not judged yet.
    """

    id: int
    boot: str
    difference: float
    corrected: float | None


@dataclass(frozen=True, slots=True)
class Clocks:
    """
    What the clocks show, at one moment.

    Attributes:
        wall: The machine's wall clock.
        server: The server's clock, if it told.
        up: Seconds since the machine started, if it has a clock that counts them.
        boot: The id of that start.
        known: The latest time that a server told at an earlier sync; 0 if none did.
    """

    wall: float
    server: float | None
    up: float | None = None
    boot: str | None = None
    known: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The outcome of judging the clocks.

    Attributes:
        now: The right time; ``None`` if that cannot be known.
        server: The server's time, if it is believed.
        latest: Points with later times must not be sent.
    """

    now: float | None
    server: float | None
    latest: float


def implausible(wall: float, known: float) -> bool:
    """Tell whether a machine's clock is wrong for certain: before 2001, or before what a server said earlier."""
    return wall < PLAUSIBLE or wall < known - BOUND


def judge(clocks: Clocks) -> Verdict:
    """Decide which clock is right."""
    said = clocks.server if clocks.server is not None and clocks.server >= PLAUSIBLE else None
    wrong = implausible(clocks.wall, clocks.known)
    if said is not None and abs(clocks.wall - said) <= BOUND:
        return Verdict(clocks.wall, said, said + BOUND)
    if said is None or (implausible(said, clocks.known) and not wrong):
        return Verdict(None, None, inf) if wrong else Verdict(clocks.wall, None, clocks.wall + BOUND)
    return Verdict(said, said, said + BOUND)


def corrections(eras: Iterable[Era], clocks: Clocks, verdict: Verdict) -> dict[int, float]:
    """Return what has to be added to the times of eras, for those where that is not noted yet, or has changed."""
    if verdict.now is None:
        return {}
    changes: dict[int, float] = {}
    for boot, of_boot in groupby(sorted(eras, key=attrgetter("boot", "id")), attrgetter("boot")):
        judged = _this_boot if boot == clocks.boot else _earlier_boot
        for era, corrected in judged(list(of_boot), clocks, verdict):
            if corrected != era.corrected:
                changes[era.id] = corrected
    return changes


def _this_boot(eras: list[Era], clocks: Clocks, verdict: Verdict) -> Iterator[tuple[Era, float]]:
    assert clocks.up is not None and verdict.now is not None
    right = verdict.now - clocks.up
    for era in eras:
        lasts = abs(era.difference - (clocks.wall - clocks.up)) < STEP
        if era.corrected is not None and not lasts:
            continue
        so_far = era.corrected or 0.0
        yield era, so_far if _will_do(era.difference + so_far, right, clocks, verdict) else right - era.difference


def _will_do(difference: float, right: float, clocks: Clocks, verdict: Verdict) -> bool:
    """Tell whether the wall clock was right in an era with that *difference*, as far as that can be known."""
    assert clocks.up is not None
    if abs(difference - right) < STEP:
        return True
    if verdict.server is None:
        return False
    # nothing is corrected away from the server's time: it may have been the clock's latest step that was wrong
    servers = verdict.server - clocks.up
    bound = abs(right - servers) if verdict.now == clocks.wall else BOUND
    return abs(difference - servers) <= bound


def _earlier_boot(eras: list[Era], clocks: Clocks, verdict: Verdict) -> Iterator[tuple[Era, float]]:
    """Correct the eras of an earlier boot by the one that is most likely right: one that was judged, or else the newest."""
    credible = [era for era in eras if era.corrected is not None] or [
        # the difference is what the wall clock would have shown when the machine started
        era
        for era in eras
        if PLAUSIBLE <= era.difference <= verdict.latest
    ]
    if not credible:
        return
    right = credible[-1].difference + (credible[-1].corrected or 0.0)
    for era in eras:
        if era.corrected is None:
            yield era, 0.0 if abs(era.difference - right) < STEP else right - era.difference
