"""What a queue of callers is made of: a caller's work, and the lock that guards them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import FrameType
from typing import Any, TypeVar

from ...runtime import sqlite

T = TypeVar("T")
Work = Callable[[sqlite.Connection], T]


class Caller:
    """A caller's work, waiting for its turn."""

    __slots__ = ("alone", "done", "error", "lasting", "latch", "leads", "result", "thread", "work")

    def __init__(self, work: Work[Any], lasting: bool, alone: bool = False, leads: bool = False) -> None:
        self.work = work
        self.lasting = lasting
        self.alone = alone  # whether it wants the turn for itself (`Commits.hold`), and has no work
        self.thread = get_ident()
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.leads = leads
        self.latch = threading.Lock()  # held until the turn is done, or leads
        if not leads:
            self.latch.acquire()

    def wake(self) -> None:
        """Have its thread go on, unless that runs already."""
        if self.latch.locked():
            self.latch.release()


def is_ours(lock: threading.RLock) -> bool:
    """Tell whether this very thread has *lock*."""
    owned: bool = lock._is_owned()  # type: ignore[attr-defined]  # as threading.Condition asks
    return owned


@contextmanager
def let_go(lock: threading.RLock) -> Iterator[None]:
    """Let others have *lock* for the length of a block, if this thread has it, however often."""
    times = 0
    try:
        while is_ours(lock):
            lock.release()
            times += 1
        yield
    finally:
        for _ in range(times):
            lock.acquire()


def is_under_way(function: Callable[..., Any]) -> bool:
    """Tell whether a call of *function* waits for the present one, which was made in a signal handler, to return."""
    frame: FrameType | None = sys._getframe(3)  # who called what asks Commits
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None
