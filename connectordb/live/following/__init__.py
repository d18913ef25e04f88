"""
Bringing one subscription the points of its stream, each once and in order: from what the server tells, and from what is read over REST.

`Cursor` and `Course` decide what to do next, and know no thread and no server; `Follower` does it. What is done with the points is the
business of others.
"""

from __future__ import annotations

from .follower import Follower
from .losses import QUEUE_LIMIT
from .reads import Reads, Seen, as_refusal
from .receiver import Receiver, gone_reason, is_refusal, words

__all__ = ["Follower", "QUEUE_LIMIT", "Reads", "Receiver", "Seen", "as_refusal", "gone_reason", "is_refusal", "words"]
