"""
Compiled scripts: what is known about one, and the two ways in which it can run.

A script is compiled to Python for what is done with each point (`Program.parts`).

- A script that gives one result for each point as it comes can run point by point (`Program.start`). Transforms run the scripts
  that are their arguments in this way.
- On a sequence of points, all that is done with each point becomes one loop, however many stages there are (`Program.flow`).
  Whatever looks ahead, holds points back or starts afresh cannot be in that loop. It is a generator that feeds the loop
  (`Program.before`), and may hand over results together with each point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from ..exceptions import PipeScriptError
from .ahead import Point, branched
from .limits import MAX_DEPTH, Run
from .source import Source, Value
from .values import doubles

#: Called with each point.
Step = Callable[[Point], Any]

#: Yields the results of a run, given its points.
Flow = Callable[[Iterator[Point], Run], Iterator[Any]]


class At:
    """
    A point in the code that is being written: the values that hold the point, its time and its data, as far as they are needed.

    Attributes:
        rest: Results that `Program.before` hands over together with the point.
    """

    def __init__(
        self,
        source: Source,
        *,
        point: Value | None = None,
        data: Value | None = None,
        origin: At | None = None,
        rest: Sequence[Value] = (),
    ) -> None:
        self._source = source
        self._point = point
        self._data = data
        self._time: Value | None = None
        #: The point whose time this one has.
        self._origin: At = origin._origin if origin is not None else self
        self.rest = rest

    @property
    def point(self) -> Value:
        """The point as a whole."""
        if self._point is None:
            self._point = self._source.compute('{{"t": {0}, "d": {1}}}', self._origin.time, self.data)
        return self._point

    @property
    def data(self) -> Value:
        """The point's data."""
        if self._data is None:
            self._data = self._source.compute('{0}["d"]', self.point)
        return self._data

    @property
    def time(self) -> Value:
        """The point's time."""
        if self._origin is not self:
            return self._origin.time
        if self._time is None:
            self._time = self._source.compute('{0}["t"]', self.point)
        return self._time

    def saying(self, data: Value) -> At:
        """Return a point with the same time and other data."""
        return At(self._source, data=data, origin=self)


class Foreign(At):
    """A point from outside. Its data is converted to the language's own types; a new point is made only if one is needed."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, data=Value("data"))

    @property
    def point(self) -> Value:
        """The point as a whole."""
        if self._point is None:
            self._point = self._as_it_came('point["d"] is data')
        return self._point

    @property
    def unchanged(self) -> Value:
        """The point as a result: the very one that came, if it has only time and data, and its numbers are equal to the converted."""
        return self._as_it_came(
            '(point["d"] is data or point["d"] == data)',
            'point if given == data and len(point) == 2 else {{"t": {0}, "d": data}}',
        )

    def _as_it_came(self, fits: str, of_int: str = "") -> Value:
        text = f'point if data is not None and len(point) == 2 and {fits} else {{{{"t": {{0}}, "d": data}}}}'
        return self._source.compute(text, self.time, of_int=of_int)

    @property
    def time(self) -> Value:
        """The point's time."""
        return Value('point["t"]')


#: Writes a part of what is done with a point: takes points off a stack, and puts the results there instead.
Part = Callable[[Source, list[At]], None]

_STEP = """
def begin(run):
    {begin}
    def step(point):"""

_LOOP = """
def flow(points, run):
    point = None
    {begin}
    try:
        for {row} in points:"""

_TAKEN_IN = """            try:
                data = point["d"]
            except KeyError:
                data = None
{for_int}
            if data.__class__ is not float:
                data = float(data) if data.__class__ is int else taken_in(data)"""

_FOR_INT = """            if data.__class__ is int:
                given = data
                data += 0.0"""

_LOOP_END = """    except PipeScriptError as error:
        error.at_point(None if point is None else point["t"]{index})
        raise"""

_OVERFLOW = """
    except OverflowError as error:
        wrong = PipeScriptError("Could not convert a number to Float: it is too large")
        wrong.at_point(point["t"], run.index())
        raise wrong from error"""


class Program:
    """
    A script that can be run.

    Attributes:
        parts: What is done with each point. One after the other, the parts replace the point on a stack by the result.
        before: Yields the points for that, given the script's own; `None` if they are the same.
        rest: How many results `before` hands over together with each point.
        steps: Whether it can run point by point.
        gathers: Whether it has no results before all points are through.
        one_to_one: Whether it is declared to give one result for each point.
        keeps_step: Whether it really does.
        constant: Whether its result is always the same.
        stateless: Whether it is declared not to depend on other points.
        peeks: Whether it is declared to look at later points.
        depth: How deeply generators and scripts are nested in it.
        size: How many operations it has.
    """

    def __init__(
        self,
        *parts: Program | Part,
        before: Flow | None = None,
        rest: int = 0,
        gathers: bool = False,
        one_to_one: bool = True,
        keeps_step: bool = True,
        constant: bool = False,
        stateless: bool = False,
        peeks: bool = False,
        depth: int = 1,
        size: int = 1,
    ) -> None:
        self.parts = parts
        self.before = before
        self.rest = rest
        self.gathers = gathers
        self.one_to_one = one_to_one
        self.keeps_step = keeps_step
        self.constant = constant
        self.stateless = stateless
        self.peeks = peeks
        self.depth = depth
        self.size = size
        self.steps = before is None and keeps_step
        #: If the script is nothing but a step from data to data: begins a run of that step.
        self.on_data: Callable[[Run], Callable[[Any], Any]] | None = None

    def _written(self, source: Source, at: At) -> At:
        stack = [at]
        waiting: list[Program | Part] = [self]
        since = _STRETCH if self.depth > _DEEP else 0
        watch = ""
        while waiting:
            part = waiting.pop()
            if isinstance(part, Program):
                waiting += reversed(part.parts)
                continue
            if since >= _STRETCH:
                watch = watch or source.begun(_watch)
                source.do(f"{watch}()")
                since = 0
            part(source, stack)
            since += 1
        return stack[-1]

    @cached_property
    def start(self) -> Callable[[Run], Step]:
        """Called with a run, returns a step: call it with one point after another, and it returns a point for each."""
        return self._stepping(lambda at: at.point)

    @cached_property
    def values(self) -> Callable[[Run], Step]:
        """Like `start`, but the step returns only the data."""
        return self._stepping(lambda at: at.data)

    def _stepping(self, wanted: Callable[[At], Value]) -> Callable[[Run], Step]:
        assert self.steps
        source = Source()
        source.do("return {0}", wanted(self._written(source, At(source, point=Value("point")))))
        begin: Callable[[Run], Step] = source.function("begin", _STEP, 8, "    return step")
        return begin

    def flow(self, points: Iterator[Point], run: Run) -> Iterator[Point]:
        """Yield the results of a run."""
        if self.before is not None:
            return self._loop(self.before(points, run), run)
        return (self._taking_in if points is run.points else self._loop)(points, run)

    def results(self, points: Iterable[Point], run: Run) -> Iterator[Point]:
        """Yield the results of a run on points from outside, for use outside."""
        counted = run.counted(points)
        return self.flow(counted, run) if self.before is not None else self._passing_on(counted, run)

    @cached_property
    def _loop(self) -> Flow:
        return self._looping(False)

    @cached_property
    def _taking_in(self) -> Flow:
        return self._looping(True)

    @cached_property
    def _passing_on(self) -> Flow:
        return self._looping(True, to_outside=True)

    def _looping(self, outside: bool, to_outside: bool = False) -> Flow:
        source = Source()
        rest = [f"r{number}" for number in range(self.rest)]
        at = Foreign(source) if outside else At(source, point=Value("point"), rest=[Value(name) for name in rest])
        result = self._written(source, at)
        tail = _LOOP_END.replace("{index}", ", run.index()" if outside else "") + (_OVERFLOW if outside else "")
        if self.gathers:
            tail = f"        yield from {result.rest[0].name}\n{tail}"
        else:
            source.do("yield {0}", result.unchanged if to_outside and isinstance(result, Foreign) else result.point)
        head = _LOOP.replace("{row}", ", ".join([*rest, "point"])) + ("\n" + _TAKEN_IN if outside else "")
        flow: Flow = source.function(
            "flow", head, 12, tail, for_int=_FOR_INT, taken_in=taken_in, PipeScriptError=PipeScriptError
        )
        return flow


def _watch(run: Run) -> Callable[[], None]:
    return run.limits.watch


#: How many operations on a point there may be between two calls of `Limits.watch`; and how deeply nested a program has to be to
#: call it even with fewer, as each operation may take long if the point is large.
_STRETCH = 20
_DEEP = 3

_IDENTITY = Program()


def inside(points: Iterator[Point], run: Run) -> Iterator[Point]:
    """Return points with data in the language's own types, also if they come from outside."""
    return _IDENTITY.flow(points, run) if points is run.points else points


def taken_in(data: Any) -> Any:
    """Return data from outside in the language's own types: all numbers as floats."""
    kind = type(data)
    return data if kind is str or kind is bool else doubles(data, MAX_DEPTH)


def beside(points: Iterator[Point], programs: Sequence[Program], run: Run) -> Iterator[tuple[Any, ...]]:
    """Yield, for each point, the results of the programs (as points), followed by the point itself."""
    *branches, own = branched(inside(points, run), len(programs) + 1)
    flows = [program.flow(branch, run) for program, branch in zip(programs, branches, strict=True)]
    return zip(*chain(flows, (own,)))  # noqa: B905  a flow that is too short looks the same as the end of all
