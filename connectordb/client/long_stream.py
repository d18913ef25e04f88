"""The part of `Stream` that reads long streams in little memory: page by page, or point by point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from ..datapoints import DatapointArray
from ..exceptions import InvalidRequest, LocalProtocolError
from ..protocol import ranges, refusals, rest
from ..protocol.points import Datapoint
from ..protocol.ranges import Range
from .bulk_stream import BulkStream

if TYPE_CHECKING:
    from ..protocol.paths import Path
    from ..protocol.scripts import ScriptLike
    from ..protocol.times import Time
    from .points.pages import Pages

T = TypeVar("T")

#: Points in a page, unless the caller says otherwise: few, as each becomes a Python object.
PAGE = 5000


class LongStream(BulkStream):
    """A stream that may be too long for a list of all its points."""

    if TYPE_CHECKING:  # of `Stream`

        def _read(self, path: Path, parameters: dict[str, str]) -> DatapointArray: ...

    def pages(
        self,
        size: int = PAGE,
        *,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> Pages:
        """
        Return an iterator over the pages of a range, so that there is never more than one page in memory.

        The range is settled when the first page is read; points that are inserted later are not in it. Each page is read by index,
        in a request of its own, which is retried like any other. If it fails for good, `next` raises, and reads the same page when
        it is called again. A program that stores the iterator's ``index`` can go on there another day, with *i1*.

        Args:
            size: Points in a page; the last one may have fewer.
            t1: The range, as for ``stream(…)``; by default all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink instead.
            transform: Refused, as results of a script have no indices by which a page could be read again. `points` accepts one.

        Raises:
            InvalidRange: The range is not valid.
            LocalProtocolError: There is a transform, or *size* is not valid.

        Calls: ``GET crud/<path>/data?q=length``, ``GET crud/<path>/data`` for each page, and with times for some single points.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise LocalProtocolError(f"size={size!r}: a page has one point at least")
        if transform is not None:
            raise LocalProtocolError(
                f"transform={transform!r:.60}: what a script makes is in no pages; points(transform=…) yields it as it comes"
            )
        fields = Range(self._session.clock.wall(), t1, t2, limit, i1, i2).fields
        path = self._sequence(downlink)
        return self._pages(size, lambda: self._span(path, fields), path)

    def __iter__(self) -> Iterator[Datapoint]:
        """Yield every point, with no more than a page of them in memory; after an exception `next` continues where it was."""
        from .points.pages import Points

        return Points(self._pages(PAGE, lambda: (0, inf), self._path))

    def points(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> Iterator[Datapoint]:
        """
        Yield the points of a range one by one, however many there are, or the results of a transform.

        Without a transform, there is no more than a page of them in memory, and after an exception `next` continues where it was,
        as with `pages`.

        The results of a transform come as soon as the server has computed them; those that come while the program works on a point
        wait in memory, up to 16 MiB. If the answer breaks off, the server is asked again, and the iteration continues if the new
        answer begins like the old one. Otherwise the exception says how many points came, and the program has to start again.

        Args:
            t1: The range, as for ``stream(…)``; by default all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink instead.
            transform: As for ``stream(…)``.

        Raises:
            InvalidRange: The range is not valid.
            InvalidRequest: The transform is not valid, or fails.

        Calls: As `pages`; with a transform, ``GET crud/<path>/data``.
        """
        path, asked = self._sequence(downlink), Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        if asked.script:
            return self._coming(path, asked)
        from .points.pages import Points

        return Points(self._pages(PAGE, lambda: self._span(path, asked.fields), path))

    def _coming(self, path: Path, asked: Range) -> Iterator[Datapoint]:
        from .points.coming import coming

        return empty_if_refused(coming(self._session, rest.points(path, asked.parameters)))

    def _pages(self, size: int, span: Callable[[], tuple[int, float]], path: Path) -> Pages:
        from .points.pages import Pages

        return Pages(
            lambda first, last: self._read(path, ranges.read_parameters({"i1": first, "i2": last})), size, span
        )

    def _span(self, path: Path, fields: dict[str, Any]) -> tuple[int, int]:
        from ..protocol import indices

        return indices.span(self._session.call, path, fields)


def empty_if_refused(found: Iterator[T]) -> Iterator[T]:
    """Yield what is *found* in a range; nothing if the server refuses the range because it ends before it begins."""
    try:
        yield from found
    except InvalidRequest as refused:
        if refused.message != refusals.INVALID_RANGE:
            raise
