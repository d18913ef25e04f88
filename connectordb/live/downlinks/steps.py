"""The steps of one command, from when it is received to when nothing of it is owed any more."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Step(Enum):
    """What has just been done, in this order; a command takes those that apply to it."""

    RECEIVED = "received"  #          it is this command's turn
    BEGUN = "begun"  #                that it is being acted on is noted
    ACTED = "acted"  #                the callback has returned, or raised
    OWED = "owed"  #                  what is to be written is noted
    ACKNOWLEDGED = "acknowledged"  #  the acknowledgement is stored
    RECORDED = "recorded"  #          what became of it is stored
    DONE = "done"  #                  that nothing is owed any more is noted


#: Called after each step, with it and the command's index: where a test looks in.
watcher: Callable[[Step, int | None], None] | None = None


def reached(step: Step, index: int | None) -> None:
    """Say that a command with that *index* has taken a step."""
    if watcher is not None:
        watcher(step, index)
