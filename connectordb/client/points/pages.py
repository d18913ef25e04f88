"""Reads a long stream page by page; after a failure one can go on with the page that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from ...datapoints import DatapointArray
from ...protocol.points import Datapoint


class Pages(Iterator[DatapointArray]):
    """
    The pages of a range of points, one after the other; there is no more than one in memory.

    If a page cannot be read, `next` raises. It may be called again, for instance when the network is back, and then reads that page;
    no page is left out, and none comes twice::

        pages = stream.pages()
        while True:
            try:
                for page in pages:
                    work_on(page)
                break
            except ConnectionFailed as error:
                log.warning("at %s: %s; waiting", pages.index, error)
                time.sleep(60)

    Args:
        read: Returns the points from one index up to, but not including, another, or as many of them as there are.
        size: The number of points in a page.
        span: Returns the index of the first point of the range, and the index after its last. That may be infinite: then the range
            ends with the first page that is not full.
    """

    def __init__(
        self, read: Callable[[int, int], DatapointArray], size: int, span: Callable[[], tuple[int, float]]
    ) -> None:
        self._read = read
        self._size = size
        self._span = span
        self._index: int | None = None
        self._end = inf

    @property
    def index(self) -> int | None:
        """The index at which the next page begins; ``None`` until the first page is asked for."""
        return self._index

    def __next__(self) -> DatapointArray:
        """
        Read the next page.

        Raises:
            ConnectorDBError: It cannot be read; the next call tries to read it again.
        """
        if self._index is None:
            self._index, self._end = self._span()
        if self._index >= self._end:
            raise StopIteration
        stop = min(self._index + self._size, self._end)
        page = self._read(self._index, int(stop))
        self._index = int(stop)
        if self._end == inf and len(page) < self._size:
            self._end = self._index
            if not page:
                raise StopIteration
        return page


class Points(Iterator[Datapoint]):
    """
    The points of pages, one after the other. After a failure `next` may be called again, as with the pages.

    Args:
        pages: The pages.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._page: Iterator[Datapoint] = iter(())

    def __next__(self) -> Datapoint:
        """
        Return the next point.

        Raises:
            ConnectorDBError: The page that it is in cannot be read; the next call tries to read it again.
        """
        while True:
            for point in self._page:
                return point
            self._page = iter(next(self._pages))
