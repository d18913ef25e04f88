"""The threads for passwords."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

from connectordb.exceptions import ClosedError
from connectordb.server.crew import Busy, Crew

from ..support.case import SOON, Case


class HasherTests(Case):
    """Threads with a bounded queue."""

    def test_results(self) -> None:
        """Work has a result, or an error."""
        crew = Crew("passwords", 2, 100)
        self.addCleanup(crew.close)
        self.assertEqual([crew.submit(lambda n=n: n * 2).result(SOON) for n in range(5)], [0, 2, 4, 6, 8])  # type: ignore[misc]
        with self.assertRaises(ZeroDivisionError):
            crew.submit(lambda: 1 / 0).result(SOON)

    def test_busy(self) -> None:
        """When too much waits no more is taken; closing cancels what waits, and may be done again."""
        crew = Crew("passwords", threads=1, waiting=2)
        self.addCleanup(crew.close)
        begun, go = threading.Event(), threading.Event()

        def slow() -> str:
            begun.set()
            self.wait(go)
            return "done"

        first = crew.submit(slow)
        self.wait(begun)
        waiting = [crew.submit(slow) for _ in range(2)]
        with self.assertRaises(Busy):
            crew.submit(slow)
        self.assertTrue(waiting.pop(0).cancel())
        waiting.append(crew.submit(slow))  # in the place of what nobody waits for
        ender = threading.Thread(target=crew.close)
        ender.start()
        for future in waiting:
            with self.assertRaises(CancelledError):
                future.result(SOON)
        go.set()
        self.assertEqual(first.result(SOON), "done")
        ender.join(SOON)
        crew.close()
        with self.assertRaises(ClosedError):
            crew.submit(slow)

    def test_closed_at_once(self) -> None:
        """Idle threads end when the crew is closed, whichever of them is woken first."""
        for _ in range(200):
            crew = Crew("test", 2, 8)
            crew.close()
            self.assertEqual([worker for worker in crew._workers if not worker.join(0)], [])
