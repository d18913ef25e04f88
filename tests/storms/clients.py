"""Those who write and read in a storm, and the book in which they note what they were told."""

from __future__ import annotations

import http.client
import json
import random
import threading
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

#: Seconds that a client waits for an answer, and between two attempts to find a server.
PATIENCE = 10.0
_PAUSE = 0.01

Value = tuple[int, int, int, int]


@dataclass
class Book:
    """
    What was sent and what was answered.

    A value is ``[writer, batch, number in the batch, size of the batch]``: so it is seen which batch is there, and whether whole.
    """

    # guards all below
    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: set[tuple[str, int, int]] = field(default_factory=set)
    unknown: set[tuple[str, int, int]] = field(default_factory=set)
    refused: set[tuple[str, int, int]] = field(default_factory=set)
    again: int = 0
    points: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def complain(self, what: str) -> None:
        """Note what should not be."""
        with self.lock:
            self.wrong.append(what)

    def at_least(self, stream: str) -> int:
        """Return how many points a stream must have by now."""
        with self.lock:
            return self.points[stream]


class Client:
    """One connection, made anew whenever it breaks."""

    def __init__(self, port: int, apikey: str) -> None:
        self._port = port
        self._headers = {"Authorization": "Basic " + b64encode(f":{apikey}".encode()).decode()}
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None, key: str = "") -> tuple[int, bytes] | None:
        """Return status and body of an answer; none if there was no whole answer."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
                self._connection.connect()
        except OSError:
            self.drop()
            return (0, b"")  # nothing was sent
        try:
            headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
            self._connection.request(method, f"/api/v1/{path}", body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.drop()
            return None

    def drop(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Writer(threading.Thread):
    """
    Appends batches to a stream of its own, and to one that all writers share, until told to stop.

    Every other writer gives each batch a key, and sends it again, as it was, until it is answered: of its batches none is of
    unknown outcome but the last.
    """

    def __init__(self, number: int, client: Client, device: str, book: Book, stop: threading.Event, seed: int) -> None:
        super().__init__(name=f"writer {number}", daemon=True)
        self._number = number
        self._client = client
        self._device = device
        self._book = book
        self._stop_asked = stop
        self._chance = random.Random(seed * 1000 + number)
        self._time = 0.0

    def run(self) -> None:
        """Write."""
        batch = 0
        try:
            while not self._stop_asked.is_set():
                own = self._chance.random() < 0.8
                if not self._write(batch, f"own{self._number}" if own else "shared", own):
                    self._stop_asked.wait(_PAUSE)
                    continue
                batch += 1
        finally:
            self._client.drop()

    def _write(self, batch: int, stream: str, own: bool) -> bool:
        """Send a batch; tell whether it went out."""
        size = self._chance.choice((1, 1, 1, 2, 10, 60, 300))
        padding = "x" * self._chance.choice((0, 0, 0, 100, 2000)) if size < 60 else ""
        self._time += size
        points: list[dict[str, Any]] = [
            {"t": self._time - size + number + 1, "d": [self._number, batch, number, size, padding]}
            for number in range(size)
        ]
        text = json.dumps(points).encode()
        path = f"crud/{self._device}/{stream}/data"
        repeated = f"{self._number}-{batch}" if self._number % 2 else ""
        answer = self._client.ask("POST" if own else "PUT", path, text, repeated)
        lost = answer is None
        while repeated and not _settled(answer, lost) and not self._stop_asked.wait(_PAUSE):
            with self._book.lock:
                self._book.again += 1
            answer = self._client.ask("POST" if own else "PUT", path, text, repeated)
            lost = lost or answer is None
        if lost and not _settled(answer, lost):
            answer = None  # one that was not sent now, or is refused, may have been stored before
        self._note(answer, (stream, self._number, batch), size)
        return answer is None or answer[0] != 0

    def _note(self, answer: tuple[int, bytes] | None, key: tuple[str, int, int], size: int) -> None:
        book = self._book
        with book.lock:
            if answer is None:
                book.unknown.add(key)
                return
            status, body = answer
            if status == 0:
                return
            book.statuses[status] += 1
            if (status, body) == (200, b"ok"):
                book.acknowledged.add(key)
                book.points[key[0]] += size
                return
            # refused before anything was stored
            book.refused.add(key)
            if status not in (503, 507):
                book.wrong.append(f"{key}: {status} {body[:200]!r}")
        self._stop_asked.wait(_PAUSE)


def _settled(answer: tuple[int, bytes] | None, lost: bool) -> bool:
    """Tell whether an answer says what became of a batch, of which an answer was *lost* before or not."""
    return answer is not None and answer[0] != 0 and not (lost and answer[0] in (503, 507))


class Reader(threading.Thread):
    """Reads lengths and points, and compares them with what was acknowledged and what it has seen before."""

    def __init__(
        self, client: Client, device: str, streams: list[str], book: Book, stop: threading.Event, seed: int
    ) -> None:
        super().__init__(name=f"reader {seed}", daemon=True)
        self._client = client
        self._device = device
        self._seen: dict[str, list[bytes]] = {stream: [] for stream in streams}
        self._book = book
        self._stop_asked = stop
        self._chance = random.Random(seed)
        self.reads = 0

    def run(self) -> None:
        """Read."""
        try:
            while not self._stop_asked.is_set():
                if not self._read(self._chance.choice(list(self._seen))):
                    self._stop_asked.wait(_PAUSE)
        finally:
            self._client.drop()

    def _read(self, stream: str) -> bool:
        path = f"crud/{self._device}/{stream}/data"
        least = max(self._book.at_least(stream), len(self._seen[stream]))
        length = self._asked(f"{path}?q=length")
        if length is None:
            return False
        if int(length) < least:
            self._book.complain(f"{stream}: the length is {int(length)}, and {least} points were there before")
        seen = self._seen[stream]
        # some that were seen before, and what is new
        first = self._chance.randint(max(0, len(seen) - 700), len(seen))
        text = self._asked(f"{path}?i1={first}&i2={int(length)}") if int(length) > first else b"[]"
        if text is None:
            return False
        points = [json.dumps(point).encode() for point in json.loads(text)]
        if len(points) != int(length) - first:
            self._book.complain(f"{stream}: {len(points)} points from {first} on, where the length is {int(length)}")
        again = seen[first:]
        if points[: len(again)] != again:
            self._book.complain(f"{stream}: other points from {first} on than before")
        seen[first:] = points
        self.reads += 1
        return True

    def _asked(self, path: str) -> bytes | None:
        answer = self._client.ask("GET", path)
        if answer is None or answer[0] == 0:
            return None
        status, body = answer
        if status != 200:
            if status not in (503, 507):
                self._book.complain(f"{path}: {status} {body[:200]!r}")
            return None
        return body
