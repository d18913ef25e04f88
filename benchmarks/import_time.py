"""
What ``import connectordb`` takes, and making a connection with it, against ``import requests``: processor time and memory of fresh
processes, in turn, medians.

    python benchmarks/import_time.py [--short]

Goals: 1.15 times as much time at most; at most 2 MB more memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent

#: Printed by each process at its end: the most memory that it had, in kilobytes.
_PEAK = "; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"

#: What is loaded with the first connection counts, too.
_MADE = "import connectordb; connectordb.ConnectorDB('key', url='http://localhost', connect=False).close()"

#: What the system counts that in.
_BYTES = 1 if sys.platform == "darwin" else 1024


def measured(statement: str) -> tuple[float, float]:
    """Return the processor time, and the bytes of memory, of a fresh process that runs *statement* and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", statement + _PEAK],
        cwd=TOP,
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, int(done.stdout) * _BYTES


def main() -> None:
    """Measure, and print three lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few runs only")
    runs = 5 if parser.parse_args().short else 40
    taken: dict[str, list[tuple[float, float]]] = {
        "pass": [],
        "import requests": [],
        "import connectordb": [],
        _MADE: [],
    }
    for _ in range(runs + 1):
        for statement, figures in taken.items():
            figures.append(measured(statement))
    times, sizes = (
        [statistics.median(figure[which] for figure in figures[1:]) for figures in taken.values()] for which in (0, 1)
    )
    empty, baseline, ours, made = times
    ratio = (ours - empty) / (baseline - empty)
    print(
        f"import connectordb: {ratio:.2f} × import requests (goal: ≤ 1.15{'' if ratio <= 1.15 else ', MISSED'}), medians of {runs} "
        f"runs, over an empty process ({empty * 1e3:.0f} ms): {(ours - empty) * 1e3:.0f} ms and {(baseline - empty) * 1e3:.0f} ms"
    )
    print(
        f"with a connection made, which has not logged in: {(made - empty) / (baseline - empty):.2f} × import requests, "
        f"{(made - empty) * 1e3:.0f} ms"
    )
    empty, baseline, ours, _ = (size / 1e6 for size in sizes)
    more = ours - baseline
    print(
        f"memory: {more:.1f} MB more than import requests (goal: ≤ 2{'' if more <= 2 else ', MISSED'}), over an empty process "
        f"({empty:.1f} MB): {ours - empty:.1f} MB and {baseline - empty:.1f} MB"
    )


if __name__ == "__main__":
    main()
