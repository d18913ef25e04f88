"""Breadth first, so that the run that is found is a shortest one."""

from __future__ import annotations

import gc
import logging
import sys
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from connectordb.logger.sync import batches, plan, sending

from .cache import BASE, File
from .driver import Driver
from .patches import Patch, patched
from .process import Processes, new_key
from .rules import RULES, patches
from .surroundings import Surroundings
from .world import LETTERS, USERS, State, World, letters

#: What makes runs repeatable: names that are made alike each time, and batches of the size that the search chose.
_REPEATABLE = (
    Patch(sending, "new_key", lambda _: new_key),
    Patch(batches, "new_key", lambda _: new_key),
    Patch(plan, "shape", lambda _: lambda size, sent, seconds: size),
)


class Searched(NamedTuple):
    """How many states there are, or were until a run went wrong; and that run, of which the last line says what is wrong."""

    states: int
    processes: int
    run: tuple[str, ...] = ()


def search(world: World, without: str = "", doubting: bool = False) -> Searched:
    """
    Search the runs of a world.

    Args:
        world: What may happen.
        without: A rule that the Logger does not keep to.
        doubting: As in `Processes`; takes twice as long.
    """
    with _silence(), patched([*_REPEATABLE, *patches(without)]):
        return _Search(world, bool(without) and RULES[without].by_the_clock, doubting).run()


@contextmanager
def _silence() -> Iterator[None]:
    """Have nothing logged, and nothing collected: hardly anything is garbage, and there are millions of objects to look at."""
    collecting, level = gc.isenabled(), logging.root.manager.disable
    gc.disable()
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
        if collecting:
            gc.enable()


class _Came(NamedTuple):
    """How a state was come to first, and which it is in order."""

    number: int
    before: State | None = None
    what: str = ""


class _Search:
    def __init__(self, world: World, by_the_clock: bool, doubting: bool) -> None:
        self._world = world
        self._processes = Processes(doubting)
        self._surroundings = Surroundings(world, self._processes)
        self._driver = Driver(world, self._processes, self._surroundings, by_the_clock)
        tracks = bool(world.wrong or world.given)
        file = File(tracks=tracks, wrong=world.wrong, wrong_up_to=BASE + world.waiting)
        for t, letter in zip(world.clock[: world.waiting], LETTERS, strict=False):
            file = file.add(t, f'"{letter}"')
        self._start = State(self._processes.idle(file), added=world.waiting)
        self._came: dict[State, _Came] = {self._start: _Came(0)}
        # from which state to which there is a step, by their numbers
        self._from, self._to = array("I"), array("I")

    def run(self) -> Searched:
        """Search until a run goes wrong, or all are seen."""
        queue = deque([self._start])
        while queue:
            s = queue.popleft()
            problem = self._wrong(s)
            steps = [] if problem else [*self._surroundings.steps(s), *self._driver.steps(s)]
            if not problem and not steps and self._processes.nodes[s.process].file.rows:
                problem = "nothing goes on"
            if problem:
                return self._searched((*self._way_to(s), problem))
            number = self._came[s].number
            for what, after in steps:
                came = self._came.get(after)
                if came is None:
                    came = self._came[after] = _Came(len(self._came), s, sys.intern(what))
                    queue.append(after)
                self._from.append(number)
                self._to.append(came.number)
        return self._searched(self._stuck() or self._endless())

    def _searched(self, run: tuple[str, ...]) -> Searched:
        return Searched(len(self._came), len(self._processes.nodes), run)

    def _wrong(self, s: State) -> str:
        """Return what must not be, in words, if it is."""
        world, node = self._world, self._processes.nodes[s.process]
        file, aside = node.file, set(letters(node.file.aside))
        ours = [v for _, v in s.stream if v != "x"]
        if node.fault:
            return node.fault
        if len(ours) != len(set(ours)):
            return "a point is there twice"
        # what a server lost and is found missing when newer points are there can only be told, or be given another time
        in_order = [v for v in ours if v != USERS and not (world.restamp and v in s.lost)]
        if in_order != sorted(in_order):
            return "points are out of order"
        if set(ours) & aside:
            return "a point is there and set aside"
        quiet = not file.rows and not s.late and s.open is None
        accepted = set(LETTERS[: s.added]) | ({USERS} if s.given else set())
        if quiet and not accepted <= set(ours) | aside | set(s.gone):
            return "a point is lost"
        if aside - set(world.bad) - set(s.lost) - set(s.gone) - {USERS} and (not world.others or world.restamp):
            return "a point is set aside without a reason"
        return ""

    def _way_to(self, s: State) -> tuple[str, ...]:
        lines: list[str] = []
        while (came := self._came[s]).before is not None:
            s = came.before
            lines.append(came.what)
        return tuple(lines[::-1])

    def _stuck(self) -> tuple[str, ...]:
        """Return a run that never ends well, whatever happens then, if there is one."""
        ends_well = bytearray(not self._processes.nodes[s.process].file.rows for s in self._came)
        number = -1
        while number != (number := sum(ends_well)):
            # most steps lead to a state that was come to later: backwards, few rounds are needed
            for before, after in zip(reversed(self._from), reversed(self._to), strict=True):
                if ends_well[after]:
                    ends_well[before] = True
        stuck = next((s for s, came in self._came.items() if not ends_well[came.number]), None)
        return () if stuck is None else (*self._way_to(stuck), "a point waits for ever")

    def _endless(self) -> tuple[str, ...]:
        """Return a run in which the Logger asks and asks without a pause, if there is one."""
        done: set[State] = set()
        for root in self._came:
            way: list[tuple[State, Iterator[State]]] = [(root, self._at_once(root))]
            on_the_way = {root}
            while way:
                s, following = way[-1]
                after = next((after for after in following if after not in done), None)
                if after is None:
                    done.add(s)
                    on_the_way.remove(s)
                    way.pop()
                elif after in on_the_way:
                    return (*self._way_to(s), "it goes round without a pause")
                else:
                    on_the_way.add(after)
                    way.append((after, self._at_once(after)))
        return ()

    def _at_once(self, s: State) -> Iterator[State]:
        """Yield what follows without a wait, the end of a pass or a fault between."""
        asked = self._processes.nodes[s.process].asked.what
        if s.open is not None:
            steps = self._surroundings.network(s)
        elif asked not in ("", "wait"):
            steps = self._driver.steps(s)
        else:
            return
        for _, after in steps:
            if (after.cuts, after.kills, after.away, after.late) == (s.cuts, s.kills, s.away, s.late):
                yield after
