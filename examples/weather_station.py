"""
Log a weather station for years, on a small board that sometimes loses its power or its network.

The sensors here are made up; put your own into ``read_sensors``. On the first run, the server's address and the device's API key
come from the environment; from then on they are in the cache file::

    CONNECTORDB_URL=https://example.com CONNECTORDB_APIKEY=... python weather_station.py station.db

It ends on SIGTERM or Ctrl-C; when started again, it continues where it stopped.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import signal
import threading
import time
from typing import Any

from connectordb.logger import Logger

log = logging.getLogger("weather")

STREAMS: dict[str, dict[str, Any]] = {
    "temperature": {"type": "number", "minimum": -60, "maximum": 60},
    "rain": {"type": "boolean"},
}


def read_sensors() -> dict[str, Any]:
    """Return the current readings."""
    hour = time.time() / 3600
    return {"temperature": round(12 + 8 * math.sin(hour), 2), "rain": math.sin(hour / 7) > 0.8}


def first_time(logger: Logger) -> None:
    """Say where the points go; the server need not be reachable."""
    logger.serverurl = os.environ["CONNECTORDB_URL"]
    logger.apikey = os.environ["CONNECTORDB_APIKEY"]
    for name, schema in STREAMS.items():
        logger.addStream(name, schema)


def tell_rejected(points: list[dict[str, Any]]) -> None:
    """Report points that the server will not take; they stay in the file until somebody looks at them."""
    for point in points:
        log.warning("%s: %r was set aside: %s", point["stream"], point["d"], point["reason"])


def main() -> None:
    """Log until told to end."""
    parser = argparse.ArgumentParser(description="Log a weather station.")
    parser.add_argument("file", help="the cache file")
    parser.add_argument("--every", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--sync", type=float, default=300.0, metavar="SECONDS")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())

    with Logger(
        arguments.file,
        on_create=first_time,
        durability="batched",  # a power cut may cost the last second, but the card lasts longer
        max_bytes=200_000_000,  # enough for months without a network
        on_full="thin",  # then every other reading will do
        onreject=tell_rejected,
    ) as logger:
        logger.syncperiod = arguments.sync
        logger.start()
        while not end.wait(arguments.every):
            for name, value in read_sensors().items():
                logger.insert(name, value)
        log.info("%s", logger.status())


if __name__ == "__main__":
    main()
