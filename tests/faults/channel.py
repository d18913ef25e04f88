"""Lines of JSON between the stage and a Logger's process."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

#: Seconds that either side waits for the other.
PATIENCE = 45.0


class Hung(AssertionError):
    """The other side says nothing any more."""


class Channel:
    """One end of it; what was said before a process was killed can still be read."""

    def __init__(self, connection: socket.socket, patience: float | None = PATIENCE) -> None:
        connection.settimeout(patience)
        self._connection = connection
        self._said = b""
        self._saying = threading.Lock()

    def say(self, **message: Any) -> None:
        """Send a message; any thread may."""
        with self._saying:
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, Any] | None:
        """Return the next message; none if the other side has ended."""
        while b"\n" not in self._said:
            try:
                more = self._connection.recv(65536)
            except ConnectionResetError:
                return None
            except TimeoutError as error:
                raise Hung(f"nothing was said for {PATIENCE:g} s") from error
            if not more:
                return None
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
