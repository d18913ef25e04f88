"""A long stream: read page by page, or point by point; the part of `Stream` that holds no more than it has to."""

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

#: Points of a page where nobody says how many: each becomes an object.
PAGE = 5000


class LongStream(BulkStream):
    """A stream that may be too long for a list of its points."""

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
        Return an iterator over the points of a range, page by page, so that never more than a page is in memory.

        The range is that of the moment of the first page. Each page is a request of its own, by index: what fails and may be
        tried again is. Where that comes to nothing, `next` raises, and reads the same page when it is called again; a program that
        remembers the iterator's ``index`` can go on there with *i1* another day.

        Args:
            size: Points of a page; the last one may have fewer.
            t1: The range, as for ``stream(…)``.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink.
            transform: Refused: what a script makes has no indices by which a page could be read again. `points` takes one.

        Raises:
            InvalidRange: It is none.
            LocalProtocolError: There is a transform.

        Calls: ``GET crud/<path>/data?q=length``, ``GET crud/<path>/data`` for each page, and with times some single points.
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
        """Yield every point, holding no more than a page of them; after a failure `next` goes on where it was."""
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
        Yield the points of a range one by one, however many there are, or what a transform makes of them.

        Without a transform no more than a page of them is in memory, and after a failure `next` goes on where it was, as with
        `pages`. What a transform makes is there as soon as the server has made it; what comes while the program works on a point waits
        in memory, up to 16 MiB. If the answer breaks off, the server is asked again, and gone on with if it answers the same to there;
        else the exception says how many points came, and a program has to begin anew.

        Args:
            t1: The range, as for ``stream(…)``; without any, all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink.
            transform: As for ``stream(…)``.

        Raises:
            InvalidRange: It is none.
            InvalidRequest: The transform is none, or fails.

        Calls: As `pages`; with a transform ``GET crud/<path>/data``.
        """
        path, asked = self._sequence(downlink), Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        if asked.script:
            return self._coming(path, asked)
        from .points.pages import Points

        return Points(self._pages(PAGE, lambda: self._span(path, asked.fields), path))

    def _coming(self, path: Path, asked: Range) -> Iterator[Datapoint]:
        from .points.coming import coming

        return or_none(coming(self._session, rest.points(path, asked.parameters)))

    def _pages(self, size: int, span: Callable[[], tuple[int, float]], path: Path) -> Pages:
        from .points.pages import Pages

        return Pages(
            lambda first, last: self._read(path, ranges.read_parameters({"i1": first, "i2": last})), size, span
        )

    def _span(self, path: Path, fields: dict[str, Any]) -> tuple[int, int]:
        from ..protocol import indices

        return indices.span(self._session.call, path, fields)


def or_none(found: Iterator[T]) -> Iterator[T]:
    """Yield what is found in a range; nothing, if the server refuses that as one that ends before it begins, which is an empty one."""
    try:
        yield from found
    except InvalidRequest as refused:
        if refused.message != refusals.INVALID_RANGE:
            raise
