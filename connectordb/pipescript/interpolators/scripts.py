"""Scripts as interpolators: their last result for the window of a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Ahead, Cursor, Point
from ..script import Script


def scripted(script: Script) -> Callable[[Iterable[Point]], Callable[[float], Any]]:
    """Return an interpolator with the last result of a script, run afresh on each time's window; null if there is none."""

    def column(points: Iterable[Point]) -> Callable[[float], Any]:
        ahead = Ahead(points)
        begun = False

        def at(time: float) -> Any:
            nonlocal begun
            if not begun:
                begun = True
                if _last(script, ahead.window(0.0)) is not None:
                    # as on the original server, which resets the script with the points up to time 0 first
                    raise PipeScriptError("a script as interpolator cannot begin with points at or before time 0")
            result = _last(script, ahead.window(time))
            ahead.skip(time)
            return None if result is None else result["d"]

        return at

    return column


def _last(script: Script, window: Iterator[Point]) -> Point | None:
    results = Cursor(script.anew(window))
    last = next(results, None)
    while last is not None and results.peek() is not None:
        last = next(results)
    # raises the error if the window has failed after that
    following = next(results, None)
    assert following is None
    return last
