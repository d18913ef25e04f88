"""What comes of the storage's work, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock

from connectordb.server.aftermath import Aftermath, Promise

from ..support.case import SOON
from .storage.trees import StorageCase, plant


def run_soon(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function."""
    asyncio.run(asyncio.wait_for(work(), SOON))


class Consequences(StorageCase):
    """They come in the order of the commits, whoever waits, and right behind him."""

    def test_order(self) -> None:
        """Of many writes at once, each consequence comes in its turn, behind whoever waits and before anything else."""
        series = self.write(plant)

        async def work() -> None:
            aftermath = Aftermath()
            seen: list[int] = []

            async def one(number: int) -> None:
                promise: Promise[int] = aftermath.promise(seen.append)
                self.storage.give_write(lambda writer: writer.insert(series, [{"t": 1}], True).first, promise)
                if number % 3:
                    self.assertNotIn(await promise.waiter, seen)
                    await asyncio.sleep(0)
                    self.assertIn(number, seen)

            await asyncio.gather(*map(one, range(300)))
            while len(seen) < 300:
                await asyncio.sleep(0)
            self.assertEqual(seen, list(range(300)))

        run_soon(work)

    def test_one_wake_up(self) -> None:
        """Many that share a commit wake the loop once."""
        series = self.write(plant)

        async def work() -> None:
            loop, aftermath = asyncio.get_running_loop(), Aftermath()
            promises: list[Promise[Any]] = [aftermath.promise() for _ in range(20)]
            held = self.storage.write(lambda writer: [self.give(promise, series) for promise in promises])
            with mock.patch.object(loop, "call_soon_threadsafe", side_effect=loop.call_soon_threadsafe) as wake:
                await asyncio.gather(*(promise.waiter for promise in promises))
            held.result(SOON)
            self.assertLess(wake.call_count, 5)

        run_soon(work)

    def give(self, promise: Promise[Any], series: Any) -> None:
        """Have a point written."""
        self.storage.give_write(lambda writer: writer.insert(series, [{"t": 1}], True), promise)

    def test_read(self) -> None:
        """Reading comes to the loop, too, errors as well."""
        self.write(plant)

        async def work() -> None:
            aftermath = Aftermath()
            good: Promise[Any] = aftermath.promise()
            bad: Promise[Any] = aftermath.promise(self.fail)
            self.storage.give_read(lambda reader: reader.counts()["streams"], good)
            self.storage.give_read(lambda reader: {}["x"], bad)
            self.assertEqual(await good.waiter, 1)
            with self.assertRaises(KeyError):
                await bad.waiter

        run_soon(work)


class Promises(StorageCase):
    """A promise is kept, broken, or not wanted."""

    def test_nobody_waits(self) -> None:
        """Consequences come also when whoever waited was cancelled; not of what failed or was never done."""

        async def work() -> None:
            aftermath, seen = Aftermath(), list[int]()
            promises: list[Promise[int]] = [aftermath.promise(seen.append) for _ in range(5)]
            self.assertTrue(promises[2].cancel())
            self.assertTrue(promises[2].waiter.cancelled())
            promises[4].waiter.cancel()
            self.assertEqual([it.set_running_or_notify_cancel() for it in promises], [True, True, False, True, False])
            self.assertFalse(promises[0].cancel())
            promises[0].waiter.cancel()
            promises[0].set_result(0)
            promises[1].set_exception(KeyError("no"))
            promises[3].set_result(3)
            promises[3].wake()
            with self.assertRaises(KeyError):
                await promises[1].waiter
            self.assertEqual(await promises[3].waiter, 3)
            await asyncio.sleep(0)
            self.assertEqual(seen, [0, 3])

        run_soon(work)

    def test_raising(self) -> None:
        """What one consequence raises is logged; who waits for it goes on, and the others come."""

        async def work() -> None:
            aftermath, seen = Aftermath(), list[int]()
            promises: list[Promise[int]] = [
                aftermath.promise((lambda _: 1 // 0) if number == 1 else seen.append) for number in range(3)
            ]
            for number, promise in enumerate(promises):
                promise.set_result(number)
            promises[0].wake()
            with self.assertLogs("asyncio", "ERROR"):
                self.assertEqual([await promise.waiter for promise in promises], [0, 1, 2])
                await asyncio.sleep(0)
            self.assertEqual(seen, [0, 2])

        run_soon(work)

    def test_loop_ended(self) -> None:
        """What is done when the loop has ended goes nowhere."""
        kept: list[Promise[int]] = []

        async def work() -> None:
            kept.append(Aftermath().promise())

        run_soon(work)
        kept[0].set_result(1)
        kept[0].wake()
