"""Places of which there are few, so that one client does not take them all; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ..exceptions import ConnectorDBError
from .proxies import site


class TooMany(ConnectorDBError):
    """There is no place for this one; it is to come again."""


class Places:
    """
    How many places each client has. Used on the event loop's thread only.

    Args:
        each: How many one client may have, or all those of one network of IPv6 addresses.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many places are taken, by whomever."""
        return self._taken.total()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """
        Have a place during the block.

        Args:
            address: Whose.

        Raises:
            TooMany: That client has all it may have.
        """
        whose = site(address)
        if self._taken[whose] >= self._each:
            raise TooMany("this client has too many of these already")
        self._taken[whose] += 1
        try:
            yield
        finally:
            self._taken[whose] -= 1
            if not self._taken[whose]:
                del self._taken[whose]
