"""The wait before a refused login is answered: it costs no thread, and cannot be used to fill the server with waiting."""

from __future__ import annotations

import asyncio
from collections import Counter

from ...exceptions import ConnectorDBError
from ..config import Login
from ..proxies import site


class TooMany(ConnectorDBError):
    """So many wait already that no other may."""


class Penalties:
    """
    Those who wait because their credentials were refused. Used on the event loop's thread only.

    Beyond the bounds nobody is answered at once instead: then it would pay to fail more often.

    Args:
        settings: How long, and how many.
    """

    def __init__(self, settings: Login) -> None:
        self._settings = settings
        self._waiting: Counter[str] = Counter()
        self._all = 0

    async def serve(self, address: str) -> None:
        """
        Wait.

        Args:
            address: Who failed.

        Raises:
            TooMany: Not that, but so many wait that this one is to come again.
        """
        settings = self._settings
        if not settings.refused_delay:
            return
        whose = site(address)
        if self._all >= settings.refused_waiting or self._waiting[whose] >= settings.refused_per_address:
            raise TooMany
        self._all += 1
        self._waiting[whose] += 1
        try:
            await asyncio.sleep(settings.refused_delay)
        finally:
            self._all -= 1
            self._waiting[whose] -= 1
            if not self._waiting[whose]:
                del self._waiting[whose]
