"""
What stands on the other side where our subscriptions are measured: websocket-client and ``json.loads`` in a loop.

As quick as that library is: its check of UTF-8 is off, which its documentation names as what is slow. It subscribes with
ids, so that a server of ours tells it the same messages as it tells us, and is one thread that does nothing else: what it has
read it has got, without a callback, a queue, or a thought of what is missing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import websocket

#: Seconds without a message after which a measurement is given up.
PATIENCE = 60.0


class Bare:
    """
    A websocket to a server.

    Args:
        url: The server, without ``/api/v1``.
        key: The API key of the device that subscribes.
    """

    def __init__(self, url: str, key: str) -> None:
        credentials = base64.b64encode(f":{key}".encode()).decode()
        self.websocket = websocket.create_connection(
            f"{url.replace('http', 'ws', 1)}/api/v1/websocket",
            header=[f"Authorization: Basic {credentials}"],
            skip_utf8_validation=True,
            timeout=PATIENCE,
        )

    def subscribe(self, paths: Sequence[str]) -> None:
        """Subscribe to streams, all commands before the first answer is waited for."""
        for number, path in enumerate(paths):
            self.websocket.send(json.dumps({"cmd": "subscribe", "arg": path, "transform": "", "d": [], "id": number}))
        for _ in paths:
            answer = self.message()
            if "ok" not in answer:
                raise RuntimeError(f"the server refused: {answer}")

    def message(self) -> Any:
        """Return what the server says next."""
        return json.loads(self.websocket.recv())

    def points(self) -> int:
        """
        Return of how many points the server tells next.

        Those of a gap are as good as told: a server leaves them out where others keep the processor from who reads.
        """
        message = self.message()
        if "gap" in message:
            first, after = message["gap"]
            return int(after - first)
        return len(message["data"])

    def close(self) -> None:
        """Close it."""
        self.websocket.close()
