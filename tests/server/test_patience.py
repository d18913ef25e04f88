"""Waiting for work as long as somebody waits for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.patience import NotWanted, Patience, read_timeout

from ..support.case import MS, SOON, Case


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function."""
    asyncio.run(asyncio.wait_for(work(), SOON))


class Waiting(Case):
    """Work that is queued, running, done."""

    def test_done(self) -> None:
        """What comes out is returned, errors too; the deadline is forgotten."""

        async def work() -> None:
            patience = Patience(60)
            good: Future[int] = Future()
            good.set_result(5)
            self.assertEqual((await patience.read(good), await patience.change(good)), (5, 5))
            bad: Future[int] = Future()
            bad.set_exception(LookupError("x"))
            with self.assertRaises(LookupError):
                await patience.read(bad)
            self.assertEqual(await patience.attend(asyncio.sleep(0, "x")), "x")
            patience.close()

        run(work)

    def test_queued(self) -> None:
        """What has not begun when nobody waits any more is cancelled."""

        async def work() -> None:
            for wait in (Patience.read, Patience.change):
                for early in (True, False):
                    patience = Patience()
                    queued: Future[int] = Future()
                    if early:
                        patience.leave()
                    else:
                        asyncio.get_running_loop().call_soon(patience.leave)
                    with self.assertRaises(NotWanted):
                        await wait(patience, queued)
                    self.assertTrue(queued.cancelled())

        run(work)

    def test_running(self) -> None:
        """Reading that runs is left alone, a change that runs is waited for."""

        async def work() -> None:
            loop = asyncio.get_running_loop()
            patience, running = Patience(1 * MS), Future[int]()
            running.set_running_or_notify_cancel()
            with self.assertRaisesRegex(NotWanted, "deadline"):
                await patience.read(running)
            running.set_result(1)  # to nobody

            patience, running = Patience(1 * MS), Future[int]()
            running.set_running_or_notify_cancel()
            loop.call_later(20 * MS, running.set_result, 7)
            self.assertEqual(await patience.change(running), 7)
            self.assertTrue(patience.passed)

        run(work)

    def test_attending(self) -> None:
        """What happens on the loop ends with the deadline."""

        async def work() -> None:
            with self.assertRaises(NotWanted):
                await Patience(1 * MS).attend(asyncio.sleep(SOON))

        run(work)

    def test_cancelled(self) -> None:
        """A task that is cancelled for another reason is that."""

        async def work() -> None:
            waiting: Future[int] = Future()
            task = asyncio.ensure_future(Patience().read(waiting))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        run(work)


class Header(Case):
    """What a client says."""

    def test_seconds(self) -> None:
        """Numbers of seconds above 0."""
        self.assertEqual((read_timeout(None), read_timeout("2.5"), read_timeout(" 3 ")), (None, 2.5, 3.0))
        for text in ("", "x", "0", "-1", "nan", "inf", "1" * 400):
            with self.subTest(text), self.assertRaises(ValueError):
                read_timeout(text)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Anything is a number or refused."""
        try:
            seconds = read_timeout(text)
        except ValueError:
            return
        assert seconds is not None
        self.assertGreater(seconds, 0)
