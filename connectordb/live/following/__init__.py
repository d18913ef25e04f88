"""
Bringing one subscription the points of its stream: each once, in order, from what is told and what is read.

`Cursor` decides, and knows no thread and no server; `Follower` does it. Whom it is for is nobody's business here.
"""

from __future__ import annotations

from .follower import Follower
from .losses import QUEUE_LIMIT
from .reads import Reads, Seen, as_refusal
from .receiver import Receiver, gone_reason, is_refusal, words

__all__ = ["Follower", "QUEUE_LIMIT", "Reads", "Receiver", "Seen", "as_refusal", "gone_reason", "is_refusal", "words"]
