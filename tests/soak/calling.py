"""What all workers of the soak use: calls over one connection that is kept, and threads that end together and tell what failed."""

from __future__ import annotations

import base64
import http.client
import json
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

#: Seconds that a call may take.
PATIENCE = 60.0


class Failed(AssertionError):
    """The server did not do what it has to."""


class Caller:
    """Calls on behalf of one device, over one connection."""

    def __init__(self, url: str, name: str = "", password: str = "") -> None:
        self.url = url
        address = urlsplit(url)
        assert address.hostname is not None and address.port is not None
        self.address = (address.hostname, address.port)
        self.authorization = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
        self._connection = self._connect()

    def __call__(self, verb: str, path: str, body: bytes | None = None, status: int = 200) -> bytes:
        """Ask, and return the answer's body; raise `Failed` if its status is not *status*."""
        headers = {"Authorization": self.authorization, "Content-Type": "application/json"}
        try:
            self._connection.request(verb, f"/api/v1/{path}", body, headers)
        except (ConnectionError, http.client.CannotSendRequest):
            # a server may close a connection on which nothing has happened for a while
            self._connection.close()
            self._connection = self._connect()
            self._connection.request(verb, f"/api/v1/{path}", body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != status:
            raise Failed(f"{verb} {path}: {answer.status} {said[:300]!r}")
        return said

    def json(self, verb: str, path: str, body: Any = None) -> Any:
        """Ask in JSON, and return what the answer says."""
        return json.loads(self(verb, path, None if body is None else json.dumps(body).encode()))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)


class Crew:
    """
    Threads that work until they are told to end.

    Attributes:
        ending: Set when all are to end.
        failures: What went wrong, with tracebacks.
        did: How often what was done.
    """

    def __init__(self) -> None:
        self.ending = threading.Event()
        self.failures: list[str] = []
        self.did: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[random.Random], None]) -> threading.Thread:
        """Have a thread do something, with dice of its own."""

        def run() -> None:
            try:
                work(random.Random(name))
            except BaseException:
                self.failures.append(f"{name}: {traceback.format_exc()}")
                self.ending.set()

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def repeat(self, name: str, pause: float, work: Callable[[random.Random], None]) -> None:
        """Have a thread do something again and again, with a pause in between."""

        def again(dice: random.Random) -> None:
            while not self.ending.is_set():
                work(dice)
                self.count(name.rstrip("0123456789 "))
                self.ending.wait(pause * dice.uniform(0.5, 1.5))

        self.start(name, again)

    def count(self, what: str, number: int = 1) -> None:
        """Note that something was done."""
        with self._lock:
            self.did[what] += number

    def end(self) -> None:
        """End all of them."""
        self.ending.set()
        deadline = time.monotonic() + 2 * PATIENCE
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
            if thread.is_alive():
                self.failures.append(f"{thread.name} has not ended")
