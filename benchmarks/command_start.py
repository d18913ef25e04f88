"""
What commands take from a cold start, against ``python -c "import requests"``: processor time and wall time of fresh processes, in turn, medians.

    python benchmarks/command_start.py [--short]

Goal: ``connectordb ls``, which logs in and asks a server, 2.5 times as much time at most.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from connectordb import ConnectorDB
from connectordb.server import Server, create

TOP = Path(__file__).parent.parent

COMMANDS = {
    "import requests": ["-c", "import requests"],
    "connectordb ls": ["-m", "connectordb", "ls"],
    "connectordb --help": ["-m", "connectordb", "--help"],
}


def measured(arguments: list[str], variables: dict[str, str]) -> tuple[float, float]:
    """Return the processor time and the wall time of a fresh Python."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=TOP, check=True, stdout=subprocess.DEVNULL, env=variables)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - began


def main() -> None:
    """Measure, and print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few runs only")
    runs = 5 if parser.parse_args().short else 20
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        create(Path(folder) / "db", user="mara", password="secret")
        with Server(Path(folder) / "db", port=0) as server, ConnectorDB("mara", "secret", url=server.url) as cdb:
            cdb["heat"].create()
            variables = {**os.environ, "CONNECTORDB_URL": server.url, "CONNECTORDB_APIKEY": cdb.apikey or ""}
            variables["PYTHONDONTWRITEBYTECODE"] = ""
            for _ in range(runs + 1):
                for name, arguments in COMMANDS.items():
                    taken[name].append(measured(arguments, variables))
    medians = {
        name: [statistics.median(figures) for figures in zip(*pairs[1:], strict=True)] for name, pairs in taken.items()
    }
    baseline = medians.pop("import requests")
    for name, (processor, wall) in medians.items():
        ratio = processor / baseline[0]
        print(
            f"{name}: {ratio:.2f} × import requests (goal: ≤ 2.5{'' if ratio <= 2.5 else ', MISSED'}), processor time, medians of "
            f"{runs} runs: {processor * 1e3:.0f} ms and {baseline[0] * 1e3:.0f} ms; wall time {wall * 1e3:.0f} ms and "
            f"{baseline[1] * 1e3:.0f} ms"
        )


if __name__ == "__main__":
    main()
