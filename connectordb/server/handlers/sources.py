"""The points of a stream, read piece by piece while they are taken, and what a script makes of them; and arrays of points."""

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

#: Bytes of text that all streams of an answer together have in memory, as points a multiple of it; and the least of one.
_HELD = 512 * 1024
_LEAST_HELD = 4 * 1024

#: Points that a piece of an answer has at most, whatever their size.
_POINTS = 2000


class Source:
    """
    The points of a stream from one index to another: iterated once, on a thread that may wait for the storage.

    Args:
        series: Whose points.
        first: The index of the first of them.
        last: The index behind the last.
        script: What is done to them.
        limit: How many there are at most then; 0 for all.

    Attributes:
        length: How many points there are in the stream.
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
        Say how to read, before the first point is taken.

        Args:
            fetch: Does it in the storage.
            budget: Bytes of text that are read at once, about.
            effort: What goes into the answer.
        """
        self._fetch = effort.waiting(fetch)
        self._budget = budget
        self._effort = effort

    def begin(self) -> None:
        """
        Have the first point computed, if it has to be.

        Raises:
            PipeScriptError: It cannot be.
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
            del text  # which may be large, and this goes on for long
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
        points: Where from.
        write: Returns what is sent of one.
        effort: What may go into it.
        most: How many; fewer, where they are large.

    Returns:
        What is sent of them, and whether there are no more.
    """
    texts: list[bytes] = []
    size, ended = 0, False
    # one by one: how large a point is shows when it is written
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
    Points, as the text of an array.

    Args:
        points: The points; iterated once.
        sources: What they are read from.
        scripts: What is done to them.
        begun: Those of which a failure before the first point is a refusal of another kind than a later one.
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
        """Return the next piece; a failure before the first is a refusal."""
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
        """Have what is being computed end."""
        self._effort.stop()

    def _piece(self) -> bytes:
        texts, self._ended = taken(self._points, _written, self._effort, _POINTS)
        begin = b"[" if self._first else b"," if texts else b""
        self._first = False
        return begin + for_browsers(b",".join(texts)) + (b"]" if self._ended else b"")


def _written(point: Point) -> bytes:
    point.pop("o", None)  # whose it is, where it comes from another device
    return text_of(point)


def text_of(point: Point) -> bytes:
    """
    Return a point that was computed as JSON; one at time 0 has no time, as on a 0.3 server.

    Raises:
        PipeScriptError: JSON cannot say it.
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
