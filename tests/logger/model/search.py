"""Breadth first, so that the run that is found is a shortest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from .driver import Driver
from .rules import Rule
from .surroundings import Surroundings
from .world import LETTERS, State, World


class Searched(NamedTuple):
    """How many states there are, or were until a run went wrong; and that run, of which the last line says what is wrong."""

    states: int
    run: tuple[str, ...] = ()


class Search:
    """
    The search of one world.

    Args:
        world: What may happen.
        rule: What the Logger does without, if anything.
    """

    def __init__(self, world: World, rule: Rule) -> None:
        self._world = world
        cache = rule.cache()
        self._surroundings, self._driver = Surroundings(world, cache), Driver(world, cache, rule.deciders())
        start = State()
        for t in world.clock[: world.waiting]:
            start = cache.add(start, t)
        self._came: dict[State, tuple[State, str] | None] = {start: None}
        self._start = start

    def run(self) -> Searched:
        """Search until a run goes wrong, or all are seen."""
        queue = deque([self._start])
        while queue:
            s = queue.popleft()
            problem = wrong(self._world, s)
            steps = [] if problem else [*self._surroundings.steps(s), *self._driver.steps(s)]
            if not problem and not steps and (s.rows or s.note):
                problem = "nothing goes on"
            if problem:
                return Searched(len(self._came), (*self._way_to(s), problem))
            for what, after in steps:
                if after not in self._came:
                    self._came[after] = (s, what)
                    queue.append(after)
        return Searched(len(self._came), self._endless() if self._world.deny else ())

    def _way_to(self, s: State) -> tuple[str, ...]:
        lines: list[str] = []
        while (before := self._came[s]) is not None:
            s, what = before
            lines.append(what)
        return tuple(lines[::-1])

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
        if s.doing is not None and s.open is None:
            for _, after in self._driver.steps(s):
                if after.doing is not None and not (s.doing.attempt.tried and not after.doing.attempt.tried):
                    yield after
        elif s.open is not None:
            for _, after in self._surroundings.steps(s):
                if after.answer and after.cuts == s.cuts:
                    yield after


def search(world: World, rule: Rule) -> Searched:
    """Search the runs of *world* where the Logger keeps to what is left without *rule*."""
    return Search(world, rule).run()


def wrong(world: World, s: State) -> str:
    """Return what must not be, in words, if it is."""
    ours = [v for _, v in s.stream if v != "x"]
    if len(ours) != len(set(ours)):
        return "a point is there twice"
    if ours != sorted(ours):
        return "points are out of order"
    if set(ours) & set(s.aside):
        return "a point is there and set aside"
    quiet = not s.rows and not s.note and not s.late and s.open is None
    if quiet and not set(LETTERS[: s.added]) <= set(ours) | set(s.aside) | set(s.gone):
        return "a point is lost"
    if set(s.aside) - set(world.bad) and not world.others:
        return "a point is set aside although nobody else wrote"
    return ""
