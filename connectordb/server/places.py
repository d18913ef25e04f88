"""Limiting how many of something one client may have at once, so that it does not take all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ..exceptions import ConnectorDBError
from .proxies import site


class TooMany(ConnectorDBError):
    """This client has as many as it may have; it may try again later."""


class Places:
    """
    Counts the places that each client has taken. Used on the event loop's thread only.

    Args:
        each: How many places one client may take. IPv6 addresses of one network count as one client.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many places all clients have taken."""
        return self._taken.total()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """
        Take a place during the block.

        Args:
            address: The client's address.

        Raises:
            TooMany: The client has as many places as it may have.
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
