"""Ctrl-C, or another signal, at a chosen moment: before the n-th line that is run of a file, or while a thread is started."""

from __future__ import annotations

import itertools
import linecache
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from opcode import opmap
from types import FrameType
from typing import Any
from unittest import mock


def interrupted_at(line: int, file: str, work: Callable[[], object], but: tuple[str, ...] = ()) -> bool:
    """
    Run *work*, interrupted before the *line*-th line of *file* that is run; tell whether that was reached.

    Args:
        line: Which, counted from 0.
        file: Of these lines.
        work: What is run.
        but: How lines begin before which the interpreter does not look, as the one before calls nothing.
    """
    try:
        signalled_at(line, file, work, _interrupt, but)
    except KeyboardInterrupt:
        return True
    return False


def _interrupt() -> None:
    raise KeyboardInterrupt


def signalled_at(
    line: int, file: str, work: Callable[[], object], handler: Callable[[], object], but: tuple[str, ...] = ()
) -> bool:
    """Run *work* as `interrupted_at` does, and *handler* before the line; tell whether that was reached."""
    was_there = False
    seen = itertools.count()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal was_there
        if frame.f_code.co_filename != file:
            return None
        # where a block with a lock ends the interpreter itself takes care, and before another, or where a handler ends, it does not look:
        # that would leave the thread in the handler for ever
        is_safe = linecache.getline(file, frame.f_lineno).lstrip().startswith(("with ", "try:", *but))
        is_safe |= frame.f_code.co_code[frame.f_lasti] == opmap["POP_EXCEPT"]
        if event == "line" and not is_safe and next(seen) == line:
            was_there = True
            handler()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return was_there


def interrupted_start(begins: bool) -> AbstractContextManager[object]:
    """Have starting a thread be interrupted in this block; *begins*: in its last instant, when the thread is there."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        if begins:
            start(thread)
        raise KeyboardInterrupt

    return mock.patch.object(threading.Thread, "start", interrupted)
