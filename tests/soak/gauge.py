"""What the server holds while it works, sampled; and whether that is flat."""

from __future__ import annotations

import statistics
import threading
import time

from ..support.server_process import ServerProcess, Usage

MIB = 1024 * 1024

#: Per figure: how much more it may be in the last third of the samples than in the first, medians; and at most at any time.
_BOUNDS = {
    "memory": (16 * MIB, 400 * MIB),
    "files": (10, 300),
    "threads": (2, 40),
    "wal": (32 * MIB, 128 * MIB),
}

#: The part of all samples, at the beginning, that is left out: caches fill.
_WARMING = 0.2


class Gauge:
    """Samples of a server, taken by a thread of its own."""

    def __init__(self, server: ServerProcess, period: float) -> None:
        self._server = server
        self._period = period
        self._ending = threading.Event()
        self.samples: list[tuple[float, Usage]] = []
        self._thread = threading.Thread(target=self._run, name="gauge", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Take no more."""
        self._ending.set()
        self._thread.join(10)

    def last(self) -> Usage | None:
        """Return the newest sample."""
        return self.samples[-1][1] if self.samples else None

    def table(self) -> list[str]:
        """Return the samples, some of them, as lines."""
        step = max(1, len(self.samples) // 12)
        lines = ["   time   memory  files  threads     WAL  processor"]
        for at, usage in self.samples[::step]:
            lines.append(
                f"{at:6.0f} s {usage.memory / MIB:4.0f} MiB  {usage.files:5}  {usage.threads:7}  {usage.wal / MIB:3.0f} MiB  {usage.processor:7.0f} s"
            )
        return lines

    def grown(self) -> list[str]:
        """Return in words what has grown."""
        samples = [usage for _, usage in self.samples[int(len(self.samples) * _WARMING) :]]
        third = len(samples) // 3
        if third < 2:
            return ["there are too few samples to tell whether anything grows"]
        found = []
        for name, (more, most) in _BOUNDS.items():
            values = [getattr(usage, name) for usage in samples]
            before, after = statistics.median(values[:third]), statistics.median(values[-third:])
            if after - before > more:
                found.append(
                    f"{name} has grown from {before:.0f} to {after:.0f} (medians of the first and the last third)"
                )
            if max(values) > most:
                found.append(f"{name} was {max(values):.0f}, more than {most}")
        return found

    def _run(self) -> None:
        began = time.monotonic()
        while not self._ending.wait(self._period):
            self.samples.append((time.monotonic() - began, self._server.usage()))
