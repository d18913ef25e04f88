"""
The sensor script of the demo, which logs readings of this machine. The demo runs it, kills it, and runs it again.

    python -m connectordb.cli.machine_log FILE JOURNAL URL APIKEY

It logs with a `Logger` on FILE until its standard input ends. In JOURNAL it writes a line for each reading that the Logger has
accepted; from these lines the demo knows which points must arrive.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

import psutil

from ..logger import Logger

#: Seconds between two readings, and between two syncs.
INTERVAL = 0.05
SYNC_PERIOD = 0.5

NUMBER = {"type": "number"}

#: Stream → its description.
STREAMS = {
    "cpu": "CPU in use, %",
    "memory": "memory in use, %",
    "disk": "written to disk, MB",
    "network": "received, MB",
}


def readings() -> dict[str, float]:
    """Return the present readings."""
    # in a container there may be no disks, or no network
    disk, network = psutil.disk_io_counters(), psutil.net_io_counters()
    return {
        "cpu": psutil.cpu_percent(),
        "memory": psutil.virtual_memory().percent,
        "disk": disk.write_bytes / 1e6 if disk else 0.0,
        "network": network.bytes_recv / 1e6 if network else 0.0,
    }


class Journal:
    """A file of JSON lines, one for each accepted reading, and one for each result of a sync."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def __enter__(self) -> Journal:
        """Return the journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its file."""
        self._file.close()

    def write(self, **line: Any) -> None:
        """Append a line, and flush it."""
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    @staticmethod
    def read(path: Path) -> list[dict[str, Any]]:
        """Return the lines of a journal, without a last one that a kill has cut short."""
        if not path.exists():
            return []
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def main(file: str, journal_file: str, url: str, apikey: str) -> None:
    """Log until standard input ends."""
    stopping = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stopping.set()

    def first_time(log: Logger) -> None:
        log.serverurl = url
        log.syncperiod = SYNC_PERIOD
        for name, description in STREAMS.items():  # the server need not be there for that
            log.addStream(name, NUMBER, description=description)

    threading.Thread(target=wait_for_the_end, name="connectordb-demo-stdin", daemon=True).start()
    with Journal(Path(journal_file)) as journal, Logger(file, on_create=first_time, apikey=apikey) as log:
        log.onsyncfail = lambda error: journal.write(failed=str(error), waiting=len(log))
        log.onsync = lambda: journal.write(synced=True, waiting=len(log))
        log.start()
        while not stopping.wait(INTERVAL):
            now = time.time()
            taken = readings()
            log.insert_many({name: [{"t": now, "d": value}] for name, value in taken.items()})
            journal.write(t=now, readings=taken)
        log.stop()
        log.sync()
        journal.write(ended=True, waiting=len(log))


if __name__ == "__main__":
    main(*sys.argv[1:])
