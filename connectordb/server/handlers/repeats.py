"""
Inserts that are sent again under the same idempotency key: they are recognised, answered as before, and not stored again.

A key belongs to the caller, and to the stream or downlink that the insert is addressed to. Where the points land does not matter,
so a change of the stream's fields in between does no harm. The key stands for the points, however they are written and
whichever way they come. A refused insert is not remembered, as it stored nothing: it may be tried again under its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ...protocol import json_text
from ...protocol.features import IDEMPOTENCY_KEY, KEY_LIMIT, is_key
from ...protocol.points import Datapoint
from ..storage import InsertKey, Remembered, Series, Writer
from .request import Refusal, Request

#: How many bytes of a digest of points are kept.
_DIGEST_BYTES = 16

#: ``Retry-After``, in seconds, for a device that has used up its keys.
_RETRY_AFTER = "60"


def insert_key(request: Request, stream_id: int) -> InsertKey | None:
    """Return the key of an insert, if it has one; refuse an invalid one."""
    if request.key is None:
        return None
    if not is_key(request.key):
        raise Refusal(400, f"{IDEMPOTENCY_KEY} is 1 to {KEY_LIMIT} visible characters of ASCII; a UUID is a good one")
    device = request.caller.device
    return InsertKey(device.id if device else 0, Series(stream_id, request.downlink), request.key)


def digest(points: Sequence[Datapoint]) -> bytes:
    """Return a digest of points, which differs for different points."""
    text = json_text.dumps([(float(point["t"]), point.get("d")) for point in points])
    return sha256(text).digest()[:_DIGEST_BYTES]


def recalled(writer: Writer, request: Request, name: InsertKey, body: bytes) -> Remembered | None:
    """Return the insert that was made under this key, if any; refuse other points under it, and a new key if there are too many."""
    known = writer.recall_insert(name)
    if known is None:
        if writer.count_inserts(name.device_id) >= request.most_keys:
            raise Refusal(
                429,
                f"The server remembers {request.most_keys} inserts with an {IDEMPOTENCY_KEY} of this device, and no more; "
                "insert more points at once, or wait until old keys are forgotten",
                {"Retry-After": _RETRY_AFTER},
            )
    elif known.body != body:
        raise Refusal(403, f"Other points were inserted with this {IDEMPOTENCY_KEY}; nothing was stored")
    return known
