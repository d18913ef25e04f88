"""The wait before a refused login is answered: it costs no thread, and cannot be used to fill the server with waiting."""

from __future__ import annotations

import asyncio

from ..config import Login
from ..places import Places, TooMany


class Penalties:
    """
    Those who wait because their credentials were refused. Used on the event loop's thread only.

    Beyond the bounds nobody is answered at once instead: then it would pay to fail more often.

    Args:
        settings: How long, and how many.
    """

    def __init__(self, settings: Login) -> None:
        self._settings = settings
        self._waiting = Places(settings.refused_per_address)

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
        if len(self._waiting) >= settings.refused_waiting:
            raise TooMany("too many wait already")
        with self._waiting.one(address):
            await asyncio.sleep(settings.refused_delay)
