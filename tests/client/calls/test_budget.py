"""How many requests may be sent again."""

from __future__ import annotations

import threading
import unittest

from connectordb.client.calls.budget import Budget
from tests.support.clock import SteppedClock


def spent(budget: Budget, share: float | None = 0.2, most: int = 1000) -> int:
    """Take all there is; return how much that was."""
    return next((number for number in range(most) if not budget.spend(share)), most)


class Tokens(unittest.TestCase):
    """A share of the requests, and a few beyond."""

    def test_a_few(self) -> None:
        """There are some at the beginning."""
        budget = Budget(SteppedClock())
        self.assertEqual(spent(budget), 10)
        self.assertEqual(spent(budget), 0)

    def test_share(self) -> None:
        """Requests bring their share, which is not saved up without end."""
        budget = Budget(SteppedClock())
        spent(budget)
        for _ in range(26):
            budget.earn(0.2)
        self.assertEqual(spent(budget), 5)
        for _ in range(1000):
            budget.earn(0.2)
        self.assertEqual(spent(budget), 10)

    def test_time(self) -> None:
        """Time brings some, too: who asks rarely has few requests to take a share of."""
        clock = SteppedClock()
        budget = Budget(clock)
        spent(budget)
        clock.advance(25.0)
        self.assertEqual(spent(budget), 2)
        clock.advance(1e6)
        self.assertEqual(spent(budget), 10)

    def test_none(self) -> None:
        """Without a share there is no limit; a share of nothing is a few at the beginning, and no more."""
        clock = SteppedClock()
        budget = Budget(clock)
        self.assertEqual(spent(budget, None), 1000)
        self.assertEqual(spent(budget, 0.0), 10)
        clock.advance(1e6)
        budget.earn(0.0)
        budget.earn(None)
        self.assertEqual(spent(budget, 0.0), 0)

    def test_threads(self) -> None:
        """Many threads take no more than there is."""
        budget, taken = Budget(SteppedClock()), []
        threads = [threading.Thread(target=lambda: taken.append(spent(budget))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        self.assertEqual(sum(taken), 10)
