"""
The processor time that ``import connectordb`` takes, against ``import requests``: fresh processes, in turn, medians.

    python benchmarks/import_time.py [--short]

Goal: 1.15 at most.
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


def seconds(statement: str) -> float:
    """Return the processor time of a fresh process that runs *statement* and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", statement], cwd=TOP, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few runs only")
    runs = 5 if parser.parse_args().short else 40
    taken: dict[str, list[float]] = {"pass": [], "import requests": [], "import connectordb": []}
    for _ in range(runs + 1):
        for statement, times in taken.items():
            times.append(seconds(statement))
    empty, baseline, ours = (statistics.median(times[1:]) for times in taken.values())
    ratio = (ours - empty) / (baseline - empty)
    print(
        f"import connectordb: {ratio:.2f} × import requests (goal: ≤ 1.15), medians of {runs} runs, over an empty process "
        f"({empty * 1e3:.0f} ms): {(ours - empty) * 1e3:.0f} ms and {(baseline - empty) * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
