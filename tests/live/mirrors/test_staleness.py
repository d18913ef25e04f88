"""Since when something newer may be there."""

from __future__ import annotations

from connectordb.live.mirrors.staleness import Staleness
from connectordb.runtime.clock import Clock
from tests.support.case import Case


class Clocks(Clock):
    """Two clocks that are set by hand."""

    now, elapsed = 1000.0, 5.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.elapsed


class StalenessTests(Case):
    """Stale and not."""

    def test_since(self) -> None:
        """It begins stale; of several reasons the first says since when, the last why; a clock that is set changes nothing."""
        clock = Clocks()
        staleness = Staleness(clock)
        self.assertEqual((staleness.since, staleness.reason), (1000.0, "connecting"))
        staleness.end()
        self.assertEqual((staleness.since, staleness.reason), (None, None))
        clock.now, clock.elapsed = 1010.0, 15.0
        staleness.begin("connecting")
        clock.now, clock.elapsed = 5012.0, 17.0  # two seconds later, and set an hour ahead meanwhile
        staleness.begin("deleted")
        self.assertEqual((staleness.since, staleness.reason), (5010.0, "deleted"))
