"""Three writers that insert all the while, past the proxy."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

from connectordb import ConnectorDB, ConnectorDBError

#: Seconds between two inserts of one writer, at most.
_PACE = 0.02

#: How often a value is so long that its message is one of several frames, or of several packets.
_LONG, _LENGTH = 0.03, 3000

#: Seconds that a writer's insert may take: longer than any fault.
_PATIENCE = 60.0


class Writers:
    """
    The three. They begin paused.

    Args:
        url: The server.
        apikey: The key of the streams' device.
        paths: The streams.
        chance: What is random.

    Attributes:
        sent: Of each stream, what was written, or may have been.
        confirmed: Of each stream, how many points were written for certain.
    """

    def __init__(self, url: str, apikey: str, paths: Sequence[str], chance: random.Random) -> None:
        self._paths = list(paths)
        self._numbers = {name: 0 for name in "pqr"}
        self.sent: dict[str, set[tuple[str, int]]] = {path: set() for path in paths}
        self.confirmed: dict[str, int] = dict.fromkeys(paths, 0)
        self._changed = threading.Condition()
        # guarded by it
        self._paused = True
        self._stopped = False
        self._busy = 0
        self._threads = []
        for name in self._numbers:
            client = ConnectorDB(apikey, url=url, timeout=_PATIENCE)
            mine = random.Random(chance.random())
            thread = threading.Thread(target=self._write, args=(name, client, mine), name=f"writer-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        # what a fault itself has written, between two others
        self._client = ConnectorDB(apikey, url=url, timeout=_PATIENCE)
        self._own = 0

    def pause(self) -> None:
        """Return when none is inserting."""
        with self._changed:
            self._paused = True
            self._changed.wait_for(lambda: self._busy == 0, _PATIENCE)

    def go_on(self) -> None:
        """Have them insert."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def add(self, path: str) -> None:
        """Have them insert there, too."""
        self.sent[path], self.confirmed[path] = set(), 0
        self._paths.append(path)

    def leave(self, path: str) -> None:
        """Have them insert there no more; they are paused."""
        self._paths.remove(path)

    def write(self, path: str, number: int = 1, length: int = 0) -> None:
        """Insert so many points at once, of values of some *length*, as a fourth writer."""
        points: list[list[Any]] = []
        for _ in range(number):
            self._own += 1
            points.append(["s", self._own, *(["x" * length] if length else [])])
        self.sent[path].update(("s", point[1]) for point in points)
        self._client(path).insert_array([{"d": point} for point in points], restamp=True)
        self.confirmed[path] += number

    def close(self) -> None:
        """End them."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_PATIENCE)
        self._client.close()

    def _write(self, name: str, client: ConnectorDB, chance: random.Random) -> None:
        with client:
            while self._may():
                path = chance.choice(self._paths)
                try:
                    self._insert(name, client, path, chance)
                except ConnectorDBError:
                    pass  # the server is away, or the stream: what it holds is read, and what became of this is seen there
                finally:
                    with self._changed:
                        self._busy -= 1
                        self._changed.notify_all()
                        self._changed.wait_for(lambda: self._stopped, chance.random() * _PACE)

    def _may(self) -> bool:
        with self._changed:
            while not self._stopped and self._paused:
                self._changed.wait(_PATIENCE)
            self._busy += not self._stopped
            return not self._stopped

    def _insert(self, name: str, client: ConnectorDB, path: str, chance: random.Random) -> None:
        number = chance.choice((1, 1, 1, 2, 5))
        values: list[list[Any]] = []
        for _ in range(number):
            self._numbers[name] += 1
            values.append([name, self._numbers[name], *(["x" * _LENGTH] if chance.random() < _LONG else [])])
        self.sent[path].update((name, value[1]) for value in values)
        if number == 1:
            client(path).insert(values[0])
        else:
            client(path).insert_array([{"d": value} for value in values], restamp=True)
        with self._changed:
            self.confirmed[path] += number
