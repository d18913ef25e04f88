"""The delay before a refused login is answered. It costs no thread, and cannot be used to fill the server with waiting clients."""

from __future__ import annotations

import asyncio

from ..config import Login
from ..places import Places, TooMany


class Penalties:
    """
    Delays the answers to refused logins. Used on the event loop's thread only.

    A login beyond the limits gets no verdict at once instead: that would reward those who fail more often.

    Args:
        settings: How long the delay is, and how many may wait.
    """

    def __init__(self, settings: Login) -> None:
        self._settings = settings
        self._waiting = Places(settings.refused_per_address)

    async def serve(self, address: str) -> None:
        """
        Wait for the delay.

        Args:
            address: The address of the client whose login was refused.

        Raises:
            TooMany: Too many wait already; the client has to try again later.
        """
        settings = self._settings
        if not settings.refused_delay:
            return
        if len(self._waiting) >= settings.refused_waiting:
            raise TooMany("too many wait already")
        with self._waiting.one(address):
            await asyncio.sleep(settings.refused_delay)
