"""The points of a stream, read piece by piece as they are needed, perhaps through a script; and answers that are arrays of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from math import isfinite
from typing import TYPE_CHECKING

from ...exceptions import LocalProtocolError, PipeScriptError
from ...protocol import json_text
from ...protocol.points import Datapoint
from ..storage import Series, encode
from .effort import Effort, TooMuch
from .request import Fetch, Pages, Refusal, for_browsers
from .scripts import Pending, Scripts
from .stretches import PAGE, Stretch

if TYPE_CHECKING:
    from ...pipescript import Point

#: Bytes of text that all streams of an answer together read ahead, which takes a multiple of that in memory; and the least of one.
_HELD = 512 * 1024
_LEAST_HELD = 4 * 1024

#: The most points in a piece of an answer, however small they are.
_POINTS = 2000


class Source:
    """
    The points of a stream in a range of indices. Iterate over them once, on a thread that may wait for the storage.

    Args:
        series: The series.
        first: The index of the first point.
        last: The index after that of the last point.
        script: A script that they go through.
        limit: The most points that the script may yield; 0 for all.

    Attributes:
        length: How many points are read, before the script.
        index: The index of the point that was read last.
    """

    def __init__(self, series: Series, first: int, last: int, script: Pending | None = None, limit: int = 0) -> None:
        self.length = last - first
        self.index = first - 1
        self._stretch = Stretch(series, first, last)
        self._fetch: Fetch | None = None
        self._budget = 0
        self._effort: Effort | None = None
        points: Iterator[Point] = self._read()
        if script is not None:
            points = script(points)
        self._points = islice(points, limit) if limit else points
        self._is_computed = script is not None

    def attach(self, fetch: Fetch, budget: int, effort: Effort) -> None:
        """
        Set how to read. To be called before the first point is taken, and again for each piece of an answer.

        Args:
            fetch: Runs work in the storage.
            budget: About how many bytes of text to read at once.
            effort: Counts what goes into the answer.
        """
        self._fetch = effort.waiting(fetch)
        self._budget = budget
        self._effort = effort

    def begin(self) -> None:
        """
        Compute the first point, if there is a script.

        Raises:
            PipeScriptError: The script fails.
        """
        if self._is_computed:
            first = next(self._points, None)
            self._points = chain([] if first is None else [first], self._points)
            self._is_computed = False

    def __iter__(self) -> Iterator[Point]:
        return iter(self._points)

    def _read(self) -> Iterator[Datapoint]:
        size = 0
        while self._stretch.more:
            assert self._fetch is not None and self._effort is not None
            first = self._stretch.at
            text = self._stretch.take(self._fetch, self._budget)
            self._effort.hold(len(text), size)
            size = len(text)
            points = json_text.loads(b"[%b]" % text)
            del text  # it may be large, and it may be long until the next one is read
            for self.index, point in enumerate(points, first):
                yield point
        if self._effort is not None:
            self._effort.hold(0, size)


def taken(
    points: Iterator[Point], write: Callable[[Point], bytes], effort: Effort, most: int
) -> tuple[list[bytes], bool]:
    """
    Take points for a piece of an answer.

    Args:
        points: The points to take from.
        write: Returns the text of a point.
        effort: Counts what goes into the answer.
        most: How many to take; fewer are taken if they are large.

    Returns:
        Their texts, and whether there are no more points.
    """
    texts: list[bytes] = []
    size, ended = 0, False
    # one by one, as the size of a point is known only when it is written
    while len(texts) < most and size < PAGE:
        point = next(points, None)
        if point is None:
            ended = True
            break
        texts.append(write(point))
        effort()
        size += len(texts[-1])
    effort.made(size)
    return texts, ended


class Array(Pages):
    """
    An answer that is an array of points.

    Args:
        points: The points; iterated over once.
        sources: All sources that they are read from.
        scripts: All scripts that they go through.
        begun: Sources whose first point is computed before all else: if one fails there, the request is refused with another
            status than later.
    """

    computed = True

    def __init__(
        self, points: Iterable[Point], sources: list[Source], scripts: Scripts, begun: Iterable[Source] = ()
    ) -> None:
        self._points = iter(points)
        self._scripts = scripts
        self._effort = scripts.effort
        self._sources = sources
        self._begun = list(begun)
        self._first = True
        self._ended = False

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next piece."""
        if self._ended:
            return None
        held = max(_HELD // max(len(self._sources), 1), _LEAST_HELD)
        for source in self._sources:
            source.attach(fetch, held, self._effort)
        status = 403
        try:
            with self._effort.spent():
                self._scripts.compile()
                for source in self._begun:
                    source.begin()
                self._begun.clear()
                status = 500
                return self._piece()
        except PipeScriptError as error:
            raise Refusal(status, error.reason) from error
        except TooMuch as error:
            raise Refusal(500, str(error)) from error

    def drop(self) -> None:
        """Stop what is being computed."""
        self._effort.stop()

    def _piece(self) -> bytes:
        texts, self._ended = taken(self._points, _written, self._effort, _POINTS)
        begin = b"[" if self._first else b"," if texts else b""
        self._first = False
        return begin + for_browsers(b",".join(texts)) + (b"]" if self._ended else b"")


def _written(point: Point) -> bytes:
    point.pop("o", None)  # computed points have no sender
    return text_of(point)


def text_of(point: Point) -> bytes:
    """
    Return a computed point as JSON. As on a 0.3 server, a time of 0 is left out.

    Raises:
        PipeScriptError: JSON cannot hold its value.
    """
    t, data = float(point["t"]) or 0.0, point.get("d")  # not -0.0
    if not isfinite(t) or (type(data) is float and not isfinite(data)):
        raise PipeScriptError(f"json: unsupported value: {_NAMES.get(str(t if not isfinite(t) else data))}")
    if isinstance(data, (list, dict)):
        try:
            json_text.checked(data)
        except LocalProtocolError as error:
            raise PipeScriptError(f"json: unsupported value: {error}") from error
    text = encode([point], [t])
    return text if t else text.replace(b'"t":0,', b"", 1).replace(b'"t":0', b"", 1)


_NAMES = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
