"""Power cuts at random instants: of what was not flushed, any of it is lost."""

from __future__ import annotations

import sys
import time

from ..support.disks import cut_power
from .storm import Storm, run


def weather(storm: Storm, times: int) -> str:
    """Kill the server at random instants, and take from its files what was not flushed, or any part of that."""
    lived = 0.0
    for _ in range(times):
        began = time.monotonic()
        pid = storm.lives.start()
        time.sleep(storm.chance.choice((0.1, 0.4, 0.7, 1.0)) * storm.chance.random() + 0.02)
        storm.lives.strike(pid, storm.chance)
        lived += time.monotonic() - began
        cut_power(storm.database, storm.durable, storm.chance)
        if storm.book.wrong:
            break
    return f"{times} power cuts, {lived / times:.2f} s a life"


if __name__ == "__main__":
    sys.exit(run("power", "lossy", 200, "cuts", 12, weather))
