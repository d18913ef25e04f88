"""
What a server does with users, devices, streams and points, in a hundred lines: lists and dictionaries, written from
``docs/topics/wire.rst`` alone, and sharing no code with the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Point = dict[str, Any]

#: An answer: the status, and the JSON value or text that an answer of 200 carries.
Said = tuple[int, Any]

OK: Said = (200, "ok")
NOT_SHOWN: Said = (404, None)
REFUSED: Said = (403, None)


@dataclass
class Points:
    """Points, as a stream or a downlink holds them."""

    points: list[Point] = field(default_factory=list)

    def insert(self, points: Sequence[Point], restamp: bool) -> Said:
        """Append points, all or none."""
        times = [point["t"] for point in points]
        if times != sorted(times):
            return REFUSED
        newest = self.points[-1]["t"] if self.points else 0
        if points and times[0] < newest:
            if not restamp:
                return REFUSED
            least = newest if newest % 1 else newest + 0.00001
            points = [*points]
            for at, point in enumerate(points):
                if point["t"] > least:
                    break
                points[at] = {**point, "t": least}
        self.points += points
        return OK

    def by_index(self, i1: int, i2: int) -> Said:
        """Return a range of indices."""
        n = len(self.points)
        if n == 0:
            return (200, []) if i1 <= 0 else REFUSED
        begin = max(0, i1 + n) if i1 < 0 else i1
        end = i2 + n if i2 <= 0 else min(i2, n)
        return REFUSED if end < begin else (200, self.points[begin:end])

    def by_time(self, t1: float, t2: float, limit: int) -> Said:
        """Return a range of times."""
        found = [p for p in self.points if (t1 <= 0 or p["t"] > t1) and (t2 <= 0 or p["t"] <= t2)]
        return 200, found[:limit] if limit else found

    def index_of(self, t: float) -> Said:
        """Return the index of the first point later than *t*; 0 if there is none."""
        return 200, next((at for at, point in enumerate(self.points) if point["t"] > t), 0)


@dataclass
class Stream:
    """A stream: what it is called, and two sequences of points."""

    nickname: str = ""
    downlink: bool = False
    stored: Points = field(default_factory=Points)
    wanted: Points = field(default_factory=Points)


#: Devices by name, each with its streams by name.
Devices = dict[str, dict[str, Stream]]


class Model:
    """Users, each with devices; what an administrator may do, and what a device may insert."""

    def __init__(self) -> None:
        self.users: dict[str, Devices] = {}

    def stream(self, path: tuple[str, str, str]) -> Stream | None:
        """Return a stream, if it is there."""
        return self.users.get(path[0], {}).get(path[1], {}).get(path[2])

    def create(self, path: tuple[str, ...]) -> int:
        """Create what a path names; return the status."""
        if len(path) == 1:
            if path[0] in self.users:
                return 403
            self.users[path[0]] = {"user": {}, "meta": {}}
            return 200
        parent: Any = self.users
        for name in path[:-1]:
            if name not in parent:
                return 403
            parent = parent[name]
        if path[-1] in parent:
            return 403
        parent[path[-1]] = Stream() if len(path) == 3 else {}
        return 200

    def delete(self, path: tuple[str, ...]) -> Said:
        """Delete what a path names."""
        parent: Any = self.users
        for name in path[:-1]:
            if name not in parent:
                return REFUSED
            parent = parent[name]
        if path[-1] not in parent or (len(path) == 2 and path[1] in ("user", "meta")):
            return REFUSED
        del parent[path[-1]]
        return OK
