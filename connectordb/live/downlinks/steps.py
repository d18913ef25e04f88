"""The steps of one command, from being received until nothing is owed for it any more."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Step(Enum):
    """What has just been done. A command takes the steps that apply to it, in this order."""

    RECEIVED = "received"  #          it is this command's turn
    BEGUN = "begun"  #                it was noted that it is being acted on
    ACTED = "acted"  #                the callback has returned, or raised
    OWED = "owed"  #                  it was noted what has to be written
    ACKNOWLEDGED = "acknowledged"  #  the acknowledgement is stored
    RECORDED = "recorded"  #          the record of what became of it is stored
    DONE = "done"  #                  it was noted that nothing is owed any more


#: Called after each step, with the step and the command's index; for tests.
watcher: Callable[[Step, int | None], None] | None = None


def reached(step: Step, index: int | None) -> None:
    """Say that a command with that *index* has taken a step."""
    if watcher is not None:
        watcher(step, index)
