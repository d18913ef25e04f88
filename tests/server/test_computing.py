"""Who computes when: whoever asks, and subscriptions."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from connectordb.server.computing import Computing
from connectordb.server.config import Queries
from connectordb.server.refusal import Refusal

from ..support.case import SOON, Case


class Turns(Case):
    """There are few threads, and little may wait."""

    def play(self, queries: Queries, *, telling: bool) -> None:
        """Have twenty things computed, and while the first waits, one for somebody else."""
        free = threading.Event()
        self.addCleanup(free.set)

        async def work(made: Computing) -> None:
            compute = made.tell if telling else made.compute
            many = [asyncio.ensure_future(compute(partial(free.wait, SOON))) for _ in range(20)]
            await asyncio.sleep(0)
            try:
                self.assertEqual(await made.compute(lambda: 5), 5)
            finally:
                free.set()
                await asyncio.gather(*many, return_exceptions=True)
            self.assertEqual([each.result() for each in many], [True] * 20)

        async def main() -> None:
            made = Computing(queries)
            try:
                await asyncio.wait_for(work(made), SOON)
            finally:
                made.close()

        asyncio.run(main())

    def test_what_is_told_takes_turns(self) -> None:
        """However many are told something at once, the queue has room for others, and so has a thread."""
        self.play(Queries(threads=2, waiting=2), telling=True)

    def test_too_much(self) -> None:
        """What cannot even wait is refused."""
        with self.assertRaisesRegex(Refusal, "Too many queries"):
            self.play(Queries(threads=2, waiting=2), telling=False)
