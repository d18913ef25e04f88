"""A disk that becomes full and has space again, over and over, now and then with a ``kill -9`` in between."""

from __future__ import annotations

import sys
import time

from ..support.disks import Space
from .storm import Storm, run

#: Seconds within which inserts must go on when there is space again.
_RECOVERY = 20.0


def weather(storm: Storm, times: int) -> str:
    """Leave the disk little space, wait until inserts are refused, give it space, and wait until they go on."""
    space = Space(storm.work / "space")
    space.free()
    book, chance = storm.book, storm.chance
    pid = storm.lives.start()
    kills = refusals = 0
    slowest = 0.0
    _wait(lambda: book.statuses[200] > 0, "nothing was inserted at the beginning")
    for _ in range(times):
        before = book.statuses[507]
        space.leave(int(chance.random() ** 3 * 2_000_000), strict=chance.random() < 0.5)
        _wait(lambda before=before: book.statuses[507] > before or book.wrong, "the disk did not become full")
        time.sleep(chance.random() * 0.3)
        if chance.random() < 0.2:
            storm.lives.end(pid)
            kills += 1
            space.free()
            pid = storm.lives.start()
        refusals += book.statuses[507] - before
        went = book.statuses[200]
        space.free()
        began = time.monotonic()
        _wait(lambda went=went: book.statuses[200] > went + 8 or book.wrong, "it did not go on with space again")
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(chance.random() * 0.3)
        if book.wrong:
            break
    storm.lives.end(pid)
    return f"{times} times full, {refusals:,} times 507, {kills} kills, on again after {slowest:.2f} s at most"


def _wait(condition, otherwise: str) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + _RECOVERY
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(run("full", "full", 60, "times", 5, weather))
