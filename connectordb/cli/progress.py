"""
What takes long: how far it has come, shown in a terminal, on standard error (a pipe sees nothing of it), and its end, which
leaves nothing half done behind also when the machine is shut down.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from rich.console import Console

from ..server import Progress

#: By which a service manager or a shutdown, and a terminal that is closed, end a command. Windows has no SIGHUP.
_ENDS = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]


@contextmanager
def shown(doing: str) -> Iterator[Progress]:
    """Have progress shown as *doing*, what of it is done, and how much of all."""
    console = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        for number in _ENDS:
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
                stack.callback(signal.signal, number, signal.signal(number, _end))
        status = stack.enter_context(console.status(f"{doing} …"))

        def progress(what: str, done: int, all: int) -> None:
            status.update(f"{doing}: {what}{f', {100 * done // all} %' if all else ''}")

        yield progress


def _end(number: int, frame: FrameType | None) -> None:
    """Raise what has everything tidied up; the status is that of shells."""
    sys.exit(128 + number)
