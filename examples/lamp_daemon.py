"""
A lamp that others switch: a daemon that waits for commands on a stream's downlink, acts, and answers.

It needs the API key of the lamp's device in the environment, and creates the stream ``lamp`` if it does not exist::

    CONNECTORDB_APIKEY=... python lamp_daemon.py --url http://localhost:3124

Any other device of the same user can switch it, here at a prompt, and gets the lamp's answer::

    ConnectorDB("tom", "his-own-secret")("tom/room/lamp").command(True)

It runs until Ctrl-C or SIGTERM, or for ``--seconds``. The file ``lamp.state`` records what it has done and what it owes, so that
it misses no command and answers each one once, no matter how it ended. ``lamp.service`` is the unit with which systemd runs it:
the daemon says when it is ready and that it is well, and is restarted if it is not.
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
    """The lamp itself; replace the body of ``switch`` with code that drives, for example, a GPIO pin."""

    #: Seconds that switching may take; if it takes longer, something is wrong.
    PATIENCE = 5.0

    def __init__(self) -> None:
        self.on = False
        self._began: float | None = None

    def switch(self, on: bool) -> None:
        """Switch the lamp on or off."""
        self._began = time.monotonic()
        try:
            self.on = on
            log.info("the lamp is %s", "on" if on else "off")
        finally:
            self._began = None

    @property
    def is_well(self) -> bool:
        """False if it is stuck while switching."""
        began = self._began
        return began is None or time.monotonic() < began + self.PATIENCE


def tell_systemd(state: str) -> None:
    """Report our state to the service manager, if there is one: a single datagram, as described in sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(1.0)
            manager.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def parse_arguments() -> argparse.Namespace:
    """Return the settings from the command line and the environment."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("CONNECTORDB_URL", CONNECTORDB_URL), help="the server")
    parser.add_argument("--stream", default="lamp", help="the stream's name (%(default)s)")
    parser.add_argument("--state", default="lamp.state", help="the file that it remembers in (%(default)s)")
    parser.add_argument("--seconds", type=float, default=None, help="how long to run (default: until Ctrl-C)")
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
        (point,) = points  # a downlink's callback gets one command at a time
        if not isinstance(point["d"], bool):
            raise DownlinkRefused("a lamp is on or off: true or false")
        lamp.switch(point["d"])
        return True

    # the server may start after us
    with ConnectorDB(key, url=arguments.url, wait=60) as cdb:
        stream = cdb[arguments.stream]
        if not stream.exists():
            stream.create({"type": "boolean"}, downlink=True)
        # of the commands that came while we were away, only the latest counts: it says what the lamp should be now
        stream.subscribe(switch, downlink=True, remember=arguments.state, missed="latest", answers=True)
        log.info("waiting for commands at %s", stream.path)
        tell_systemd("READY=1")
        wait_for_the_end(stop, arguments.seconds, lamp)
        tell_systemd("STOPPING=1")
    log.info("stopped")


def wait_for_the_end(stop: threading.Event, seconds: float | None, lamp: Lamp) -> None:
    """Wait for a signal, or for this many seconds, and feed the watchdog for as long as the lamp is well."""
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
