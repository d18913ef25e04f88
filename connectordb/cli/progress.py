"""
The progress of long commands: shown on standard error if that is a terminal. Signals that end such a command let it tidy up first.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from rich.console import Console

from ..server import Progress

#: The signals by which a service manager or a shutdown, and a terminal that is closed, end a command. Windows has no SIGHUP.
_ENDS = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]


@contextmanager
def shown(doing: str) -> Iterator[Progress]:
    """Yield a function that shows progress: *doing*, what it is at, and the percentage done."""
    console = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        for number in _ENDS:
            if signal.getsignal(number) is signal.SIG_DFL:  # and not ignored, as SIGHUP is under nohup
                stack.callback(signal.signal, number, signal.signal(number, _end))
        status = stack.enter_context(console.status(f"{doing} …"))

        def progress(what: str, done: int, all: int) -> None:
            status.update(f"{doing}: {what}{f', {100 * done // all} %' if all else ''}")

        yield progress


def _end(number: int, frame: FrameType | None) -> None:
    """Raise SystemExit, so that everything is tidied up; the exit status is as in shells."""
    sys.exit(128 + number)
