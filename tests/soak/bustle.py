"""What else goes on: devices made and deleted, logins, reads of all kinds, feeds."""

from __future__ import annotations

import itertools
import json
import random
from xml.etree import ElementTree

from .calling import Caller, Failed
from .writers import Streams

_number = itertools.count()


def make_and_delete(url: str, key: str, dice: random.Random) -> None:
    """Make a device with a stream, use it, and delete it."""
    admin = Caller(url, "", key)
    name = f"soak/brief{next(_number)}"
    made = admin.json("POST", f"crud/{name}", {"streams": {"s": {}, "gone": {}}})
    device = Caller(url, "", made["apikey"])
    number = dice.choice((1, 100, 2000))
    points = [{"t": n + 1, "d": "x" * dice.choice((1, 100))} for n in range(number)]
    for stream in ("s", "gone"):
        device("POST", f"crud/{name}/{stream}/data", json.dumps(points).encode())
    if int(device("GET", f"crud/{name}/s/data?q=length")) != number:
        raise Failed(f"{name}: not all of {number} points are there")
    device("DELETE", f"crud/{name}/gone")
    admin("DELETE", f"crud/{name}")
    device("GET", f"crud/{name}/s", status=401)
    device.close()
    admin.close()


def log_in(url: str) -> None:
    """Log in by password, and by a wrong one."""
    caller = Caller(url, "soak", "soak")
    if caller("GET", "?q=this") != b"soak/user":
        raise Failed("whoever logged in by password is somebody else")
    caller.close()
    caller = Caller(url, "soak", "wrong")
    caller("GET", "?q=this", status=401)
    caller.close()


def read(url: str, key: str, streams: Streams, dice: random.Random) -> None:
    """Read the newest point, some in the middle by index and by time, and the length."""
    caller = Caller(url, "", key)
    for _ in range(20):
        path = dice.choice(streams.paths)
        number = streams.acknowledged[path]
        if not number:
            continue
        newest = caller.json("GET", f"crud/{path}/data?i1=-1")
        at = dice.randrange(number)
        middle = caller.json("GET", f"crud/{path}/data?i1={at}&i2={at + 100}")
        since = caller.json("GET", f"crud/{path}/data?t1={middle[0]['t']}&limit=10")
        length = int(caller("GET", f"crud/{path}/data?q=length"))
        values = [point["d"] for point in middle]
        later = [point["d"] for point in since]
        if newest[0]["d"] < number - 1 or length < number:
            raise Failed(f"{path}: of {number} acknowledged points {newest[0]['d'] + 1} are read, {length} counted")
        if values != list(range(at, at + len(values))) or later != list(range(at + 1, at + 1 + len(later))):
            raise Failed(f"{path}: from {at} on other points are read than were inserted")
    caller.close()


def read_all(url: str, key: str, streams: Streams, dice: random.Random) -> None:
    """Read all of a stream in one answer, and several merged."""
    caller = Caller(url, "", key)
    path = dice.choice(streams.paths)
    number = streams.acknowledged[path]
    values = [point["d"] for point in caller.json("GET", f"crud/{path}/data?i1=0")]
    if len(values) < number or values != list(range(len(values))):
        raise Failed(f"{path}: {len(values)} points of {number} are read, or not in order")
    queries = [{"stream": path, "i1": 0, "i2": 1000} for path in dice.sample(streams.paths, 5)]
    times = [point["t"] for point in json.loads(caller("POST", "query/merge", json.dumps(queries).encode()))]
    if times != sorted(times):
        raise Failed("a merge is out of order")
    caller.close()


def read_feed(url: str, key: str, streams: Streams, dice: random.Random) -> None:
    """Read a feed, and the lists."""
    caller = Caller(url, "", key)
    path = dice.choice(streams.paths)
    entries = ElementTree.fromstring(caller("GET", f"feed/{path}.atom")).findall("{http://www.w3.org/2005/Atom}entry")
    if len(entries) < min(500, streams.acknowledged[path]) and len(entries) != 500:
        raise Failed(f"the feed of {path} has {len(entries)} entries")
    caller.json("GET", "crud/soak?q=streams")
    caller.json("GET", "crud/soak?q=ls")
    caller.close()
