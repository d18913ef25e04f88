"""Reading a long stream page by page, in such a way that after a failure it goes on with the page that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from ...datapoints import DatapointArray
from ...protocol.points import Datapoint


class Pages(Iterator[DatapointArray]):
    """
    The pages of a range of points, one after the other; no more than one is in memory.

    Where a page cannot be read, `next` raises. It may be called again, once the network is back say, and reads that page anew: none is
    left out, and none comes twice::

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
        read: Returns the points from one index to before another, or as many of them as there are.
        size: Points of a page.
        span: Returns the indices of the range: that of its first point, and that behind its last, infinite for an end that is found when
            a page is not full.
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
        """The index at which the next page begins; ``None`` as long as nobody has asked for the first."""
        return self._index

    def __next__(self) -> DatapointArray:
        """
        Read the next page.

        Raises:
            ConnectorDBError: It cannot be read; `next` tries to read it again.
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
    The points of pages, one after the other; after a failure it goes on, as they do.

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
            ConnectorDBError: The page that it is on cannot be read; `next` tries to read it again.
        """
        while True:
            for point in self._page:
                return point
            self._page = iter(next(self._pages))
