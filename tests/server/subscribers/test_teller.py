"""Telling subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from connectordb.server.handlers import Published, Removed, Reply
from connectordb.server.subscribers.teller import Teller

from ...support.case import SOON, Case
from ..test_service import Ear


class Telling(Case):
    """Who is told what."""

    def run_soon(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function."""
        asyncio.run(asyncio.wait_for(work(), SOON))

    def test_removed_before_told(self) -> None:
        """What was removed is told to all at or below it, and before what was inserted by the same change."""

        async def work() -> None:
            teller, ears = Teller(), [Ear() for _ in range(3)]
            for ear, path in zip(ears, ("a/b/c", "a/b/c/downlink", "a/bb/c"), strict=True):
                teller.hub.subscribe(ear, path)
            reply = Reply(b"", published=(Published("a/b/c", ({"t": 1},)),), removed=(Removed("a/b", "deleted"),))
            teller.settle(reply)
            told = b'{"stream":"a/b/c","data":[{"t":1}]}\n'
            self.assertEqual(ears[0].heard, [("a/b/c", "deleted"), told])
            self.assertEqual((ears[1].heard, ears[2].heard), ([("a/b/c/downlink", "deleted")], []))

        self.run_soon(work)

    def test_look_again(self) -> None:
        """Of a change those look again whom it may concern, once for many changes."""

        async def work() -> None:
            teller, ears = Teller(), [Ear() for _ in range(3)]
            ears[2].own_path = "x/y"
            for ear, path in zip(ears, ("a/b/c", "k/l/m", "k/l/m"), strict=True):
                teller.hub.subscribe(ear, path)
            for _ in range(20):
                teller.settle(Reply(b"", changed="a/b"))
                teller.settle(Reply(b"", changed="x"))
            teller.settle(Reply(b"", changed="k/ll"))
            while not ears[2].looked:
                await asyncio.sleep(0.005)
            self.assertEqual([ear.looked for ear in ears], [1, 0, 1])
            teller.look_again()
            while not ears[1].looked:
                await asyncio.sleep(0.005)
            self.assertLessEqual(max(ear.looked for ear in ears), 2)
            teller.close()

        self.run_soon(work)
