"""
A tour of what you would do at the prompt: create a user, a device and a stream, insert, slice, subscribe, clean up.

It needs an administrator's name and password::

    CONNECTORDB_PASSWORD=secret python repl_tour.py mara --url http://localhost:3124
"""

from __future__ import annotations

import argparse
import os
import queue
import time
from getpass import getpass
from typing import Any

from connectordb import CONNECTORDB_URL, ConnectorDB


def parse_arguments() -> argparse.Namespace:
    """Return the settings from the command line and the environment."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("administrator", help="an administrator's name")
    parser.add_argument("--url", default=os.environ.get("CONNECTORDB_URL", CONNECTORDB_URL), help="the server")
    parser.add_argument("--name", default="tourist", help="the user to create, and to delete at the end (%(default)s)")
    return parser.parse_args()


def main() -> None:
    """Take the tour, and print what there is to see."""
    arguments = parse_arguments()
    password = os.environ.get("CONNECTORDB_PASSWORD") or getpass(f"password of {arguments.administrator}: ")
    with ConnectorDB(arguments.administrator, password, url=arguments.url) as cdb:
        print("logged in as", cdb.path)
        user = cdb(arguments.name)
        if user.exists():
            raise SystemExit(f"{user.path} exists already: choose another --name (it will be deleted)")
        user.create(f"{arguments.name}@example.org", "a-password", public=False)
        try:
            tour(arguments)
        finally:
            user.delete()
            print("deleted", user.path)


def tour(arguments: argparse.Namespace) -> None:
    """Log in as the new user, create a device with a stream, and use it."""
    with ConnectorDB(arguments.name, "a-password", url=arguments.url) as cdb:
        room = cdb.user["room"]
        room.create(description="Where the sensors are")
        room["temperature"].create({"type": "number"}, datatype="temperature.celsius")
        print("streams:", ", ".join(stream.path for stream in room.streams()))

        # only the device itself can write to its streams, so it logs in with its own key
        with ConnectorDB(room.apikey, url=arguments.url) as sensor:
            stream = sensor["temperature"]
            now = time.time()
            stream.insert_array([{"t": now - 60 * i, "d": 20.25 + i / 2} for i in range(10, 0, -1)])
            print("points:", len(stream))
            print("newest:", stream[-1]["d"])
            print("last three:", stream[-3:].d())
            print("of the last five minutes:", stream(t1=now - 301).d())
            watch(stream)


def watch(stream: Any) -> None:
    """Subscribe, insert, and print what arrived."""
    arrived: queue.Queue[tuple[str, Any]] = queue.Queue()

    def show(path: str, points: list[dict[str, Any]]) -> None:
        arrived.put((path, points[-1]["d"]))

    stream.subscribe(show)
    stream.insert(19.5)
    path, value = arrived.get(timeout=10)
    print("arrived:", path, value)
    stream.unsubscribe()


if __name__ == "__main__":
    main()
