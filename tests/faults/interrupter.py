"""
Interrupts its own thread, as Ctrl-C or another signal does, at the n-th place where Python would.

Python looks for signals when it enters a function, and when a call has returned: then and there ``KeyboardInterrupt`` is raised. A
profile function is called at the same places. (A trace function could raise between any two lines, also where no signal ever does,
as between the last line of a ``with`` and the end of it.)
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

log = logging.getLogger(__name__)

_LOOKED_AT = ("call", "return", "c_return")


class Interrupter:
    """
    Counts those places in files whose paths contain one of *watched*.

    Args:
        watched: Parts of paths.
        at: At which place, counted from 1, the thread is interrupted; 0 for none.
        handler: What is done there.
    """

    def __init__(self, watched: tuple[str, ...], at: int = 0, handler: Callable[[], object] | None = None) -> None:
        self._watched = watched
        self._at = at
        self._handler = handler or self._interrupt
        self._known: dict[str, bool] = {}
        self.steps = 0

    def __enter__(self) -> Interrupter:
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        if event not in _LOOKED_AT or (event == "return" and frame.f_code.co_flags & inspect.CO_GENERATOR):
            return  # a generator that yields would not be unwound
        name = frame.f_code.co_filename
        watched = self._known.get(name)
        if watched is None:
            watched = self._known[name] = any(part in name for part in self._watched)
        if watched:
            self.steps += 1
            if self.steps == self._at:
                log.warning("interrupted at step %d, %s: %s, line %d", self._at, event, frame.f_code, frame.f_lineno)
                self._handler()

    @staticmethod
    def _interrupt() -> None:
        raise KeyboardInterrupt
