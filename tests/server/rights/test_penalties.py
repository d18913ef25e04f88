"""Waiting after a refused login."""

from __future__ import annotations

import asyncio
import unittest

from connectordb.server.config import Login
from connectordb.server.places import TooMany
from connectordb.server.rights.penalties import Penalties

from ...support.case import MS


class PenaltiesTests(unittest.TestCase):
    """Who waits, and for whom there is no room."""

    def outcomes(self, addresses: list[str], **settings: float) -> list[bool]:
        """Have all of them wait at once; return for each whether it did."""

        async def main() -> list[bool]:
            penalties = Penalties(Login(**{"refused_delay": 50 * MS, **settings}))  # type: ignore[arg-type]
            done = await asyncio.gather(*map(penalties.serve, addresses), return_exceptions=True)
            self.assertFalse(penalties._waiting, "somebody was not counted out")
            return [not isinstance(result, TooMany) for result in done]

        return asyncio.run(main())

    def test_bounds(self) -> None:
        """So many wait in all, and fewer of one address or network."""
        self.assertEqual(self.outcomes(["1.1.1.1"] * 3, refused_per_address=2), [True, True, False])
        self.assertEqual(self.outcomes(["1.1.1.1", "1.1.1.2", "1.1.1.3"], refused_waiting=2), [True, True, False])
        self.assertEqual(self.outcomes(["2001:db8::1", "2001:db8::2"], refused_per_address=1), [True, False])
        self.assertEqual(self.outcomes(["1.1.1.1"] * 3, refused_per_address=1, refused_delay=0.0), [True] * 3)

    def test_gone(self) -> None:
        """Who goes away while he waits makes room."""

        async def main() -> None:
            penalties = Penalties(Login(refused_waiting=1, refused_delay=60.0))
            waiting = asyncio.ensure_future(penalties.serve("x"))
            await asyncio.sleep(0)
            with self.assertRaises(TooMany):
                await penalties.serve("x")
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            self.assertFalse(penalties._waiting)

        asyncio.run(main())
