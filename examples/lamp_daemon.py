"""
A lamp that others switch: a daemon that waits for commands on a stream's downlink, acts, and acknowledges.

It needs the API key of the lamp's device in the environment, and makes the stream ``lamp`` if it is not there::

    CONNECTORDB_APIKEY=... python lamp_daemon.py --url http://localhost:3124

Any other device of the same user switches it by inserting into the stream, here at a prompt::

    ConnectorDB("tom", "his-own-secret")("tom/room/lamp").insert(True)

It runs until Ctrl-C or SIGTERM, or for ``--seconds``.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from typing import Any

from connectordb import CONNECTORDB_URL, ConnectorDB

log = logging.getLogger("lamp")


class Lamp:
    """The thing itself; drive a GPIO pin in ``switch`` instead."""

    def __init__(self) -> None:
        self.on = False

    def switch(self, on: bool) -> None:
        """Switch it."""
        self.on = on
        log.info("the lamp is %s", "on" if on else "off")


def parse_arguments() -> argparse.Namespace:
    """Return what the command line and the environment say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("CONNECTORDB_URL", CONNECTORDB_URL), help="the server")
    parser.add_argument("--stream", default="lamp", help="the stream's name (%(default)s)")
    parser.add_argument("--seconds", type=float, default=None, help="how long to run; without it: until Ctrl-C")
    return parser.parse_args()


def main() -> None:
    """Subscribe, and wait for the end."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    key = os.environ.get("CONNECTORDB_APIKEY")
    if not key:
        raise SystemExit("the lamp's device needs its API key: set CONNECTORDB_APIKEY")

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    lamp = Lamp()

    def command(path: str, points: list[dict[str, Any]]) -> bool:
        # an older command of the same message is out of date already; the newest is what the lamp should be
        lamp.switch(points[-1]["d"])
        return True

    with ConnectorDB(key, url=arguments.url) as cdb:
        stream = cdb[arguments.stream]
        if not stream.exists():
            stream.create({"type": "boolean"}, downlink=True)
        stream.subscribe(command, downlink=True)
        log.info("waiting for commands at %s", stream.path)
        stop.wait(arguments.seconds)


if __name__ == "__main__":
    main()
