"""A script, compiled: what users hold in hands."""

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
    A script that can be run on points, as often as one likes, also at once in several threads.

    ::

        mean = Script("if $ > 20 | mean")
        for point in mean([{"t": 1, "d": 25}, {"t": 2, "d": 10}, {"t": 3, "d": 35}]):
            print(point)

    Args:
        text: The script.
        tz: The name of the time zone that "Local" means; this machine's, where it is left out.
        limits: How large it may be, and what its runs may hold.

    Raises:
        PipeScriptError: It is no script; the message shows where.
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
        Yield what the script makes of points, no sooner than it is asked for.

        Raises:
            PipeScriptError: A point does not fit; what came before it has been yielded.
        """
        return self._run(points, False)

    def anew(self, points: Iterable[Point]) -> Iterator[Point]:
        """Yield what the script makes of points where it was run before, which one transform remembers."""
        return self._run(points, True)

    def session(self) -> Session:
        """Return what runs the script on one sequence after the other, as a subscription does."""
        return Session(self)

    def _run(self, points: Iterable[Point], again: bool) -> Iterator[Point]:
        run = Run(self._limits, again)
        results = self._program.results(points, run)
        return map(_let_out, results) if self._widens else results

    def __str__(self) -> str:
        return str(self._node)

    def __pipescript__(self) -> str:
        """Return the script as it means the same where another time zone is local: a server, or in another script."""
        return str(zoned(self._node, self._tz) if self._tz else self._node)

    def __repr__(self) -> str:
        return f"Script({self._text!r})"


class Session:
    """Runs of one script, one after the other."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._again = False

    def __call__(self, points: Iterable[Point]) -> Iterator[Point]:
        """Yield what the script makes of points; its state is cleared behind the last of them."""
        yield from self._script._run(points, self._again)
        self._again = True


def _let_out(point: Point) -> dict[str, Any]:
    return {"t": point["t"], "d": widened(point["d"])}


__all__ = ["PipeScriptError", "Script", "Session"]
