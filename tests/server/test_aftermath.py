"""What follows from writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from connectordb.server.aftermath import Aftermath

from ..support.case import SOON
from .storage.trees import StorageCase, plant


class Consequences(StorageCase):
    """They come in the order of the commits, whoever waits, and before him."""

    def run_soon(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function."""
        asyncio.run(asyncio.wait_for(work(), SOON))

    def test_order(self) -> None:
        """Of many writes at once, each consequence comes in its turn, and before whoever waits goes on."""
        series = self.write(plant)

        async def work() -> None:
            aftermath = Aftermath()
            seen: list[int] = []

            async def one(number: int) -> None:
                write = self.storage.write(lambda writer: writer.insert(series, [{"t": 1}], True).first)
                waiting = asyncio.wrap_future(aftermath.after(write, seen.append))
                if number % 3:
                    self.assertIn(await waiting, seen)

            await asyncio.gather(*map(one, range(300)))
            while len(seen) < 300:
                await asyncio.sleep(0)
            self.assertEqual(seen, list(range(300)))

        self.run_soon(work)

    def test_nobody_waits(self) -> None:
        """They come also when whoever waited was cancelled; not of what failed or was never done."""

        async def work() -> None:
            aftermath, seen = Aftermath(), list[int]()
            futures: list[Future[int]] = [Future() for _ in range(4)]
            for future in futures:
                aftermath.after(future, seen.append)
            waiting = asyncio.ensure_future(asyncio.wrap_future(futures[0]))
            await asyncio.sleep(0)
            futures[0].set_running_or_notify_cancel()
            waiting.cancel()
            futures[0].set_result(0)
            futures[1].set_exception(KeyError("no"))
            futures[2].cancel()
            futures[3].set_result(3)
            await asyncio.sleep(0)
            self.assertEqual(seen, [0, 3])

        self.run_soon(work)

    def test_raising(self) -> None:
        """What one of them raises is logged, and the others come."""

        async def work() -> None:
            aftermath, seen = Aftermath(), list[int]()
            futures: list[Future[int]] = [Future() for _ in range(3)]
            for number, future in enumerate(futures):
                aftermath.after(future, (lambda _: 1 // 0) if number == 1 else seen.append)
            for number, future in enumerate(futures):
                future.set_result(number)
            with self.assertLogs("asyncio", "ERROR"):
                while len(seen) < 2:
                    await asyncio.sleep(0)
            self.assertEqual(seen, [0, 2])

        self.run_soon(work)
