"""Those who insert: each owns some streams, keeps to the timetable, and knows what was acknowledged."""

from __future__ import annotations

import random
import time

from .calling import Caller, Crew, Failed

#: Points that a read is asked for at once, when all of a stream is looked at.
_PAGE = 20_000

#: When the first point of a stream was, and how many seconds lie between two.
_BEGIN, _STEP = 1_600_000_000, 1


class Streams:
    """
    The streams of the soak: the point with index *n* has the value *n*.

    Attributes:
        paths: Where they are, below ``crud/``.
        acknowledged: Path → how many points were.
    """

    def __init__(self, number: int, each: int) -> None:
        self.paths = [f"soak/d{n % 10}/s{n}" for n in range(number)]
        self.each = each
        self.acknowledged = dict.fromkeys(self.paths, 0)

    @property
    def total(self) -> int:
        """How many points were acknowledged."""
        return sum(self.acknowledged.values())

    def create(self, admin: Caller) -> None:
        """Make them, and their owner."""
        streams = {f"d{d}": {} for d in range(10)}
        for path in self.paths:
            _, device, name = path.split("/")
            streams[device][name] = {"schema": '{"type":"number"}'}
        devices = {name: {"apikey": f"key-{name}", "streams": streams[name]} for name in streams}
        admin.json("POST", "crud/soak", {"email": "soak@example.org", "password": "soak", "devices": devices})

    def key(self, path: str) -> str:
        """Return the key of a stream's device."""
        return f"key-{path.split('/')[1]}"

    def write(self, url: str, crew: Crew, mine: list[str], minutes: float, dice: random.Random) -> None:
        """Insert all points of some streams, evenly spread over the time there is."""
        callers = {key: Caller(url, "", key) for key in {self.key(path) for path in mine}}
        began, all_mine, done = time.monotonic(), len(mine) * self.each, 0
        left = {path: self.each for path in mine}
        while left and not crew.ending.is_set():
            path = dice.choice(list(left))
            number = min(left[path], dice.choice((1, 10, 60, 120, 120, 240, 600)))
            first = self.acknowledged[path]
            body = ",".join(f'{{"t":{_BEGIN + n * _STEP},"d":{n}}}' for n in range(first, first + number))
            callers[self.key(path)]("POST", f"crud/{path}/data", f"[{body}]".encode())
            self.acknowledged[path] = first + number
            crew.count("points", number)
            crew.count("inserts")
            done += number
            left[path] -= number
            if not left[path]:
                del left[path]
            due = began + minutes * 60 * done / all_mine
            crew.ending.wait(max(0.0, due - time.monotonic()))
        for caller in callers.values():
            caller.close()

    def check(self, url: str) -> None:
        """Raise `Failed` if not each acknowledged point is there, once and in order."""
        reader = Caller(url, "test", "test")
        reader = Caller(url, "", reader.json("GET", "crud/test/user")["apikey"])
        for path, number in self.acknowledged.items():
            length = int(reader("GET", f"crud/{path}/data?q=length"))
            if length != number:
                raise Failed(f"{path}: {number} points were acknowledged, the length is {length}")
            for first in range(0, number, _PAGE):
                last = min(first + _PAGE, number)
                points = reader.json("GET", f"crud/{path}/data?i1={first}&i2={last}")
                if points != [{"t": _BEGIN + n * _STEP, "d": n} for n in range(first, last)]:
                    raise Failed(f"{path}: between {first} and {last} there are other points than were acknowledged")
        reader.close()
