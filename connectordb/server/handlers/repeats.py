"""
Inserts that are sent again under the key they had: known, answered as the first time, and not done again.

A key belongs to the caller and to the stream or downlink that the insert is addressed to, not to where it lands: whoever
changes the stream's fields in between changes nothing about that. It stands for the points, however they are spelt and
whichever way they come. What was refused is not remembered, as it stored nothing: it may be tried again under its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ...protocol import json_text
from ...protocol.features import IDEMPOTENCY_KEY, KEY_LIMIT, is_key
from ...protocol.points import Datapoint
from ..storage import InsertKey, Remembered, Series, Writer
from .request import Refusal, Request

#: Bytes of a digest of points that are kept.
_DIGEST_BYTES = 16

#: Seconds after which a device that has used up its keys may look again.
_RETRY_AFTER = "60"


def insert_key(request: Request, stream_id: int) -> InsertKey | None:
    """Return the key of an insert, if it has one; refuse what can be none."""
    if request.key is None:
        return None
    if not is_key(request.key):
        raise Refusal(400, f"{IDEMPOTENCY_KEY} is 1 to {KEY_LIMIT} visible characters of ASCII; a UUID is a good one")
    device = request.caller.device
    return InsertKey(device.id if device else 0, Series(stream_id, request.downlink), request.key)


def digest(points: Sequence[Datapoint]) -> bytes:
    """Return what points that were read are told from others by."""
    text = json_text.dumps([(float(point["t"]), point.get("d")) for point in points])
    return sha256(text).digest()[:_DIGEST_BYTES]


def recalled(writer: Writer, request: Request, name: InsertKey, body: bytes) -> Remembered | None:
    """Return what was inserted under this key; refuse other points under it, and a new key where there are too many."""
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
