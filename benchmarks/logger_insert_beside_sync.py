"""
How long the slowest of 100 inserts takes while 500,000 points are synced, against the same without the sync.

    python benchmarks/logger_insert_beside_sync.py [--points 500000] [--rounds 5] [--pause 0.0005] [--folder DIR] [--short]

Goal: the 99th percentile is 3 times as high at most. The program logs a point, durably, and pauses, as one does that has readings;
what it logs meanwhile waits in another stream of the same file. The server is ``_sink.py``, which takes what comes and forgets it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from _programs import started
from _rounds import in_turns, options, report
from logger_sync import filled

from connectordb.logger import Logger

_SINK = str(Path(__file__).with_name("_sink.py"))


def percentile(log: Logger, going_on: Callable[[], bool], pause: float) -> float:
    """Insert as long as something goes on; return the 99th percentile of the times that this takes."""
    taken = []
    while going_on():
        start = time.perf_counter()
        log.insert("other", 21.5)
        taken.append(time.perf_counter() - start)
        time.sleep(pause)
    return sorted(taken)[int(0.99 * len(taken))]


def main() -> None:
    """Measure, and print one line."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--points", type=int, default=500_000)
    parser.add_argument("--pause", type=float, default=0.0005, help="seconds between two inserts (0.0005)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    number, rounds = (20_000, 2) if arguments.short else (arguments.points, arguments.rounds)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name, started(sys.executable, _SINK) as sink:
        folder = Path(name)
        filled(folder / "template.db", number)
        lasted = [1.0]

        def measured(work: Callable[[Logger], object] | None) -> float:
            path = Path(shutil.copy(folder / "template.db", folder / "copy.db"))
            with Logger(path, apikey="key", syncraise=True) as log:
                log.serverurl = sink.url
                log.addStream_force("other", {"type": "number"})
                start = time.perf_counter()
                if work is None:
                    result = percentile(log, lambda: time.perf_counter() < start + lasted[0], arguments.pause)
                else:
                    thread = threading.Thread(target=work, args=[log])
                    thread.start()
                    result = percentile(log, thread.is_alive, arguments.pause)
                    lasted[0] = time.perf_counter() - start
            for file in folder.glob("copy.db*"):
                file.unlink()
            return result

        cases = {"beside": lambda: measured(Logger.sync), "alone": lambda: measured(None)}
        figures = in_turns(cases, rounds)
        print(f"a sync lasted {lasted[0]:.2f} s")
    title = f"p99 of an insert while {number:,} points are synced"
    report(title, figures["beside"], figures["alone"], "ms", most=3, against="without", scale=1e3)


if __name__ == "__main__":
    main()
