"""
May this request be sent again? A table, and nothing else.

=====================  ===============  =====================  =================
what was asked for     nothing was      the connection broke   no answer in time
                       sent             before the answer
=====================  ===============  =====================  =================
to read (``GET``)      tell             once more              tell
to insert points       tell             unknown                unknown
anything else          tell             tell                   tell
=====================  ===============  =====================  =================

A connection that was kept open may have been closed by the server in the meantime: that is what "once more" is for, on a
fresh connection. An insert has no such second try, as the first may be stored.
"""

from __future__ import annotations

from enum import Enum


class Fate(Enum):
    """What became of a request that got no answer."""

    UNSENT = "nothing of it was sent"
    BROKEN = "the connection broke before the answer was there"
    SILENT = "no answer came in time"


class Verdict(Enum):
    """What to do about it."""

    AGAIN = "send it once more"
    TELL = "tell the caller that it failed"
    UNKNOWN = "tell the caller that the outcome is unknown"


def judge(method: str, inserts: int, fate: Fate, attempt: int) -> Verdict:
    """
    Say what to do after a request got no answer.

    Args:
        method: Its verb.
        inserts: The points in it, if it is an insert.
        fate: What became of it.
        attempt: How often it has been sent, this time included.
    """
    if fate is Fate.UNSENT:
        return Verdict.TELL
    if inserts:
        return Verdict.UNKNOWN
    if method == "GET" and fate is Fate.BROKEN and attempt == 1:
        return Verdict.AGAIN
    return Verdict.TELL
