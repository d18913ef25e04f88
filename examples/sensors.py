"""
Log two sensors of this machine, and send the readings whenever the server can be reached.

The sensors are readings that every machine has: how much disk space is free, and how long it takes to write to the disk. Put your
own into ``SENSORS``. The first run needs the server's address and a device's API key, as an option or in the environment
(``CONNECTORDB_URL``, ``CONNECTORDB_APIKEY``); after that the cache file has them::

    CONNECTORDB_APIKEY=... python sensors.py --url http://localhost:3124 --every 10
    python sensors.py --every 10

It runs until Ctrl-C or SIGTERM, or for ``--samples`` samples. If the server is away, readings wait in the file.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable

from connectordb import CONNECTORDB_URL, ConnectorDB
from connectordb.logger import Logger


def disk_free() -> float:
    """Return the gigabytes that are free on this disk."""
    return shutil.disk_usage(".").free / 1e9


def disk_delay() -> float:
    """Return the milliseconds that it takes to write a few bytes to the disk."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        file.write(b"connectordb")
        file.flush()
        os.fsync(file.fileno())
    return (time.perf_counter() - start) * 1000


SENSORS: dict[str, Callable[[], float]] = {"disk_free": disk_free, "disk_delay": disk_delay}


def parse_arguments() -> argparse.Namespace:
    """Return the settings from the command line and the environment."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--file", default="sensors.db", help="the cache file (%(default)s)")
    parser.add_argument("--url", default=os.environ.get("CONNECTORDB_URL", CONNECTORDB_URL), help="the server")
    parser.add_argument("--every", type=float, default=10.0, metavar="SECONDS", help="between samples (%(default)s)")
    parser.add_argument("--sync", type=float, default=60.0, metavar="SECONDS", help="between syncs (%(default)s)")
    parser.add_argument(
        "--samples", type=int, default=0, metavar="N", help="how many to take; 0: until Ctrl-C (%(default)s)"
    )
    return parser.parse_args()


def main() -> None:
    """Log until told to stop, then sync once more."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    def first_time(log: Logger) -> None:
        # everybody on the machine could read a key on the command line, so it comes from the environment
        key = os.environ.get("CONNECTORDB_APIKEY")
        if not key:
            raise SystemExit("the first run needs the device's API key: set CONNECTORDB_APIKEY")
        log.serverurl = arguments.url
        log.apikey = key
        for name in SENSORS:
            log.addStream(name, {"type": "number"})

    with (
        Logger(arguments.file, on_create=first_time) as log,
        # only for its scheduling: it sends nothing to the server, since the Logger has its own connection
        ConnectorDB(log.apikey, url=log.serverurl, connect=False) as cdb,
    ):
        log.syncperiod = arguments.sync
        log.start()
        taken = 0

        @cdb.every(arguments.every, first=0)
        def sample() -> None:
            nonlocal taken
            for name, read in SENSORS.items():
                log.insert(name, read())
            taken += 1
            if taken == arguments.samples:
                cdb.close()

        cdb.run()
        log.sync()
        print(f"{taken} samples taken, {len(log)} readings wait to be sent")


if __name__ == "__main__":
    main()
