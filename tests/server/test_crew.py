"""The threads for passwords."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

from connectordb.exceptions import ClosedError
from connectordb.server.hashers import Busy, Hashers

from ..support.case import SOON, Case


class HasherTests(Case):
    """Threads with a bounded queue."""

    def test_results(self) -> None:
        """Work has a result, or an error."""
        hashers = Hashers()
        self.addCleanup(hashers.close)
        self.assertEqual([hashers.submit(lambda n=n: n * 2).result(SOON) for n in range(5)], [0, 2, 4, 6, 8])  # type: ignore[misc]
        with self.assertRaises(ZeroDivisionError):
            hashers.submit(lambda: 1 / 0).result(SOON)

    def test_busy(self) -> None:
        """When too much waits no more is taken; closing cancels what waits, and may be done again."""
        hashers = Hashers(threads=1, waiting=2)
        self.addCleanup(hashers.close)
        begun, go = threading.Event(), threading.Event()

        def slow() -> str:
            begun.set()
            self.wait(go)
            return "done"

        first = hashers.submit(slow)
        self.wait(begun)
        waiting = [hashers.submit(slow) for _ in range(2)]
        with self.assertRaises(Busy):
            hashers.submit(slow)
        ender = threading.Thread(target=hashers.close)
        ender.start()
        for future in waiting:
            with self.assertRaises(CancelledError):
                future.result(SOON)
        go.set()
        self.assertEqual(first.result(SOON), "done")
        ender.join(SOON)
        hashers.close()
        with self.assertRaises(ClosedError):
            hashers.submit(slow)
