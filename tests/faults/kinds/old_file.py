"""Files of the client 0.3.5."""

from __future__ import annotations

import json
import sqlite3

from ..process import Killed
from ..station import COUNTED, Station
from .kind import Kind

_LAYOUT = """
CREATE TABLE cache (stream TEXT, timestamp REAL, jsondata TEXT);
CREATE TABLE streams (stream TEXT, jsonschema TEXT);
CREATE TABLE metadata (apikey TEXT, serverurl TEXT, lastsynctime REAL, syncperiod REAL, userdatajson TEXT);
"""


class OldFile(Kind):
    """
    A file of the client 0.3.5, whose oldest points were sent before it was killed, and a ``kill -9`` before each line of the
    Logger's that takes it over and sends the rest.
    """

    name = "old-file"
    fresh = 1

    def fault(self, station: Station, number: int) -> None:
        self._make(station)
        steps = self.steps_of(station, "", lambda: self._count(number))
        self._run(station, 1 + round(self.share(number) * (steps - 1)))

    def _count(self, number: int) -> int:
        station = Station(self.stage, self.stage.next_number(), self.timeout)
        self._make(station)
        steps = self._run(station, 0)
        station.settle(self.allowed)
        station.close()
        return steps

    def _run(self, station: Station, at: int) -> int:
        process = station.bare()
        try:
            process.ask("several", commands=[station.opening(), {"do": "sync"}], at=at)
        except Killed:
            station.kill()
        return process.steps

    def _make(self, station: Station) -> None:
        book = station.books[COUNTED]
        points = [("a", number) for number in range(1, self.chance.choice((1, 2, 6)) + 1)]
        book.accepted.extend(points)
        times, t = [], 1.5e9
        for _ in points:
            t += self.chance.choice((0.0, 0.001, 5.0))
            times.append(t)
        sent = self.chance.randrange(len(points) + 1)
        if sent:
            stored = [{"t": t, "d": list(point)} for t, point in zip(times, points[:sent], strict=False)]
            self.stage.stream(book.name).insert_array(stored)
        with sqlite3.connect(station.file) as connection:
            connection.executescript(_LAYOUT)
            rows = [(book.name, t, json.dumps(point)) for t, point in zip(times, points, strict=True)]
            connection.executemany("INSERT INTO cache VALUES (?, ?, ?)", rows)
            connection.execute("INSERT INTO streams VALUES (?, 'null')", (book.name,))
            settings = (self.stage.apikey, f"{self.stage.proxy.url}/api/v1/", 0.0, 600.0, "{}")
            connection.execute("INSERT INTO metadata VALUES (?, ?, ?, ?, ?)", settings)
        connection.close()


KINDS = [OldFile]
