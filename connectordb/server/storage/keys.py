"""
Idempotency keys: under which key which insert was made, so that a repeated one is recognised.

A key's age is the time for which the server has been running since, not that of the wall clock: when the file is opened, time goes
on from that of the last key, and it never jumps. So no key is forgotten too early, whatever is done to the machine's clock; while
the server is off, keys do not age. If no new key comes for a while, the time is noted in the newest one, which is then kept for
longer too; otherwise a server that is restarted every night would never forget anything.

Keys are numbered in the order of their times, and found by a digest of all that tells them apart. Keys for streams and devices
that were deleted are simply left to age, as no id is ever used again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ...runtime.clock import SYSTEM, Clock
from ...runtime.sqlite import Connection
from .contract import InsertKey, Remembered

#: Bytes of a digest that are kept: enough for no two keys ever to have the same.
_DIGEST_BYTES = 16

#: Seconds without a new key after which the time is noted in the newest one.
_NOTED = 3600


class InsertKeys:
    """The keys in the file that *connection* has open. Methods that change them need a transaction."""

    def __init__(self, connection: Connection, clock: Clock = SYSTEM) -> None:
        self._connection = connection
        self._clock = clock
        #: Added to the monotonic clock to get the server's time; computed when it is first needed.
        self._offset: float | None = None

    def recall(self, key: InsertKey) -> Remembered | None:
        """Return what is remembered under a key."""
        row = self._connection.execute(
            "SELECT body, downlink, first FROM insert_keys WHERE digest = ?", (_digest(key),)
        ).fetchone()
        if row is None:
            return None
        body, downlink, first = row
        return Remembered(body, bool(downlink), first)

    def remember(self, key: InsertKey, what: Remembered) -> None:
        """Remember an insert under a key, which must be new."""
        self._connection.execute(
            "INSERT INTO insert_keys (digest, device_id, at, body, downlink, first) VALUES (?, ?, ?, ?, ?, ?)",
            (_digest(key), key.device_id, int(self._now()), what.body, what.downlink, what.first),
        )
        self._connection.execute(
            "INSERT INTO insert_key_counts (device_id, number) VALUES (?, 1)"
            " ON CONFLICT (device_id) DO UPDATE SET number = number + 1",
            (key.device_id,),
        )

    def count(self, device_id: int) -> int:
        """Return how many keys of a device are remembered."""
        row = self._connection.execute(
            "SELECT number FROM insert_key_counts WHERE device_id = ?", (device_id,)
        ).fetchone()
        (number,) = row or (0,)
        return int(number)

    def forget(self, age: float, most: int) -> int:
        """Forget keys older than *age* seconds, at most *most* of them, the oldest first; return how many were forgotten."""
        rows: list[Any] = self._connection.execute(
            "SELECT id, device_id, at FROM insert_keys ORDER BY id LIMIT ?", (most,)
        ).fetchall()
        # one second less, as times are stored rounded down
        before = int(self._now() - age) - 1
        old = [(key, device) for key, device, at in rows if at < before]
        if old:
            self._connection.execute("DELETE FROM insert_keys WHERE id <= ?", (old[-1][0],))
            devices = [device for _, device in old]
            for device in set(devices):
                self._connection.execute(
                    "UPDATE insert_key_counts SET number = number - ? WHERE device_id = ?",
                    (devices.count(device), device),
                )
            self._connection.execute("DELETE FROM insert_key_counts WHERE number <= 0")
        if len(rows) > len(old) + 1:
            # not if it is the only key that is left, which would then never be forgotten
            self._connection.execute(
                "UPDATE insert_keys SET at = ?1 WHERE id = (SELECT max(id) FROM insert_keys) AND at < ?1 - ?2",
                (int(self._now()), _NOTED),
            )
        return len(old)

    def _now(self) -> float:
        if self._offset is None:
            newest = self._connection.execute("SELECT at FROM insert_keys ORDER BY id DESC LIMIT 1").fetchone()
            (at,) = newest or (-1,)
            self._offset = int(at) + 1 - self._clock.monotonic()
        return self._offset + self._clock.monotonic()


def _digest(key: InsertKey) -> bytes:
    # the text comes last, so that nothing in it can be taken for one of the numbers
    scope = f"{key.device_id} {key.series.stream_id} {key.series.downlink:d} {key.text}"
    return sha256(scope.encode()).digest()[:_DIGEST_BYTES]
