"""`Script`: a compiled script, which users can run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..exceptions import PipeScriptError
from .ahead import Point
from .compiler import check_call, compiled
from .limits import Limits, Run
from .parser import parse
from .registry import Context
from .tree import Call, walked
from .values import widened
from .zones import zoned

_LIMITS = Limits()


class Script:
    """
    A script that can be run on points, any number of times, also in several threads at once.

    ::

        mean = Script("if $ > 20 | mean")
        for point in mean([{"t": 1, "d": 25}, {"t": 2, "d": 10}, {"t": 3, "d": 35}]):
            print(point)

    Args:
        text: The script.
        tz: The name of the time zone that "Local" means; by default this machine's.
        limits: How large the script may be, and what its runs may hold.

    Raises:
        PipeScriptError: It is no valid script; the message shows where.
    """

    def __init__(self, text: str, *, tz: str = "", limits: Limits = _LIMITS) -> None:
        self._text = text
        self._tz = tz
        self._limits = limits
        self._node = parse(text, limits, check_call)
        self._program = compiled(self._node, Context(tz, limits), text)
        self._widens = any(isinstance(node, Call) and node.name == "sentiment" for node in walked(self._node))

    def __call__(self, points: Iterable[Point]) -> Iterator[Point]:
        """
        Yield the results of the script for *points*, computed as they are asked for.

        Raises:
            PipeScriptError: The script fails at a point; the results before it have been yielded.
        """
        return self._run(points, False)

    def anew(self, points: Iterable[Point]) -> Iterator[Point]:
        """Run the script as one that was run before, which makes a difference to one transform, ``anytrue``."""
        return self._run(points, True)

    def session(self) -> Session:
        """Return a `Session`, which runs the script on one sequence after another, as a subscription does."""
        return Session(self)

    def _run(self, points: Iterable[Point], again: bool) -> Iterator[Point]:
        run = Run(self._limits, again)
        results = self._program.results(points, run)
        return map(_let_out, results) if self._widens else results

    def __str__(self) -> str:
        return str(self._node)

    def __pipescript__(self) -> str:
        """Return the script's text, made to mean the same where another time zone is local: on a server, or in another script."""
        return str(zoned(self._node, self._tz) if self._tz else self._node)

    def __repr__(self) -> str:
        return f"Script({self._text!r})"


class Session:
    """Runs a script on one sequence of points after another."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._again = False

    def __call__(self, points: Iterable[Point]) -> Iterator[Point]:
        """Yield the results of the script for *points*. After the last of them the script starts afresh."""
        yield from self._script._run(points, self._again)
        self._again = True


def _let_out(point: Point) -> dict[str, Any]:
    return {"t": point["t"], "d": widened(point["d"])}


__all__ = ["PipeScriptError", "Script", "Session"]
