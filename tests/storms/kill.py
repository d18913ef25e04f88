"""``kill -9`` at random instants, under writers and readers."""

from __future__ import annotations

import sys
import time

from .storm import Storm, run


def weather(storm: Storm, times: int) -> str:
    """Kill the server at random instants, from before it listens to a second later."""
    lived = 0.0
    for _ in range(times):
        began = time.monotonic()
        pid = storm.lives.start()
        time.sleep(storm.chance.choice((0.05, 0.4, 0.7, 1.0)) * storm.chance.random() + 0.02)
        storm.lives.strike(pid, storm.chance)
        lived += time.monotonic() - began
        if storm.book.wrong:
            break
    return f"{times} kills, {lived / times:.2f} s a life"


if __name__ == "__main__":
    sys.exit(run("kill", "real", 200, "kills", 12, weather))
