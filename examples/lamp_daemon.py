"""
A lamp that others switch: a daemon that waits for commands on a stream's downlink, acts, and answers.

It needs the API key of the lamp's device in the environment, and makes the stream ``lamp`` if it is not there::

    CONNECTORDB_APIKEY=... python lamp_daemon.py --url http://localhost:3124

Any other device of the same user switches it, here at a prompt, and gets the lamp's answer::

    ConnectorDB("tom", "his-own-secret")("tom/room/lamp").command(True)

It runs until Ctrl-C or SIGTERM, or for ``--seconds``. What it has done and what it owes is kept in ``lamp.state``, so that it
misses no command and answers each once, however it ended. ``lamp.service`` is a unit with which systemd runs it: it tells when
it is ready and that it is well, and is started again if it is not.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import threading
import time
from typing import Any

from connectordb import CONNECTORDB_URL, ConnectorDB, DownlinkRefused

log = logging.getLogger("lamp")


class Lamp:
    """The thing itself; drive a GPIO pin in ``switch`` instead."""

    #: Seconds that switching may take, before something must be wrong.
    PATIENCE = 5.0

    def __init__(self) -> None:
        self.on = False
        self._began: float | None = None

    def switch(self, on: bool) -> None:
        """Switch it."""
        self._began = time.monotonic()
        try:
            self.on = on
            log.info("the lamp is %s", "on" if on else "off")
        finally:
            self._began = None

    @property
    def is_well(self) -> bool:
        """Whether it is not stuck in the midst of switching."""
        began = self._began
        return began is None or time.monotonic() < began + self.PATIENCE


def tell_systemd(state: str) -> None:
    """Tell the service manager how we are, if there is one that wants to know: one datagram, as sd_notify(3) says."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(1.0)
            manager.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def parse_arguments() -> argparse.Namespace:
    """Return what the command line and the environment say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("CONNECTORDB_URL", CONNECTORDB_URL), help="the server")
    parser.add_argument("--stream", default="lamp", help="the stream's name (%(default)s)")
    parser.add_argument("--state", default="lamp.state", help="what it remembers (%(default)s)")
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

    def switch(path: str, points: list[dict[str, Any]]) -> bool:
        (point,) = points  # of a downlink it is one command a call
        if not isinstance(point["d"], bool):
            raise DownlinkRefused("a lamp is on or off: true or false")
        lamp.switch(point["d"])
        return True

    # the server may come up after us
    with ConnectorDB(key, url=arguments.url, wait=60) as cdb:
        stream = cdb[arguments.stream]
        if not stream.exists():
            stream.create({"type": "boolean"}, downlink=True)
        # of what came while we were away only the latest counts: it says what the lamp should be now
        stream.subscribe(switch, downlink=True, remember=arguments.state, missed="latest", answers=True)
        log.info("waiting for commands at %s", stream.path)
        tell_systemd("READY=1")
        wait_for_the_end(stop, arguments.seconds, lamp)
        tell_systemd("STOPPING=1")
    log.info("stopped")


def wait_for_the_end(stop: threading.Event, seconds: float | None, lamp: Lamp) -> None:
    """Wait for a signal, or for so many seconds; and have the watchdog fed for as long as the lamp is well."""
    watchdog = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    end = None if seconds is None else time.monotonic() + seconds
    while not stop.is_set() and (end is None or time.monotonic() < end):
        if watchdog and lamp.is_well:
            tell_systemd("WATCHDOG=1")
        waits = [
            *([watchdog / 3] if watchdog else []),
            *([max(0.0, end - time.monotonic())] if end is not None else []),
        ]
        stop.wait(min(waits, default=None))


if __name__ == "__main__":
    main()
